import { startGitServer } from '../git-server/git-server.ts';

/** Serves the repositories of a folder until it is told to stop: `node serve.ts ROOT PORT NAME…`. */
const [root, port, ...names] = process.argv.slice(2);
if (root === undefined || port === undefined) throw new Error('usage: serve.ts ROOT PORT NAME…');
const server = await startGitServer({ root, port: Number(port) });
for (const name of names) await server.createRepository(name);
process.stdout.write(`${server.url}\n`);
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    server.close().then(() => process.exit(0));
  });
}
