import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { type GitRepository, openRepository } from '../git-server/git-repository.ts';
import { githubPush, sendWebhook } from '../git-server/webhook.ts';
import { freePort } from '../harness/operator-process.ts';

const samples = fileURLToPath(new URL('../samples', import.meta.url));
const placeholder = 'https://git.example.com/shop.git';
const webImage = 'mooring.local/web:v1';

/** The sample repository, served over smart HTTP by a process of its own. */
export interface Shop {
  readonly repository: GitRepository;
  readonly serverPid: number;
  /** The root Application, with this repository's URL in it. */
  root(): Promise<Record<string, unknown>>;
  /** Commits and tells the operator by webhook, as a Git host does. `at` is the moment at which the branch had moved. */
  push(
    operatorUrl: string,
    message: string,
    files: Record<string, string | null>,
  ): Promise<{ readonly commit: string; readonly at: number }>;
  close(): Promise<void>;
}

export async function serveShop(folder: string, image: string | undefined, detached: boolean): Promise<Shop> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/shop.git`;
  const repository = await openRepository({ name: 'shop', url, path: join(folder, 'shop.git') });
  const first = await repository.commit({ from: samples, message: 'The shop' });
  if (image !== undefined) await useImage(repository, first, image);
  const server = spawn(
    process.execPath,
    [fileURLToPath(new URL('serve.ts', import.meta.url)), folder, String(port), 'shop'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached,
    },
  );
  await listening(server);
  if (detached) {
    server.stdout?.destroy();
    server.unref();
  }
  return {
    repository,
    serverPid: server.pid ?? 0,
    async root() {
      const text = await readFile(join(samples, 'root.yaml'), 'utf8');
      return parse(text.replaceAll(placeholder, url)) as Record<string, unknown>;
    },
    async push(operatorUrl, message, files) {
      const before = await repository.resolve('main');
      const after = await repository.commit({ files, message });
      const at = performance.now();
      const changes = await repository.changes(before, after);
      const delivery = githubPush({ repoURL: url, ref: 'refs/heads/main', before, after, changes, message });
      const answer = await sendWebhook(`${operatorUrl}/api/webhook`, delivery);
      if (answer.status !== 200) throw new Error(`the webhook was answered ${answer.status}: ${answer.body}`);
      return { commit: after, at };
    },
    async close() {
      const ended = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGTERM');
      await ended;
    },
  };
}

async function listening(server: ChildProcess): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.stdout?.once('data', () => resolve());
    server.once('exit', (code) => reject(new Error(`the Git server ended with ${code}`)));
  });
}

/** Names another image wherever the samples name their own. */
async function useImage(repository: GitRepository, first: string, image: string): Promise<void> {
  const { added } = await repository.changes('0'.repeat(40), first);
  const files: Record<string, string> = {};
  for (const path of added) {
    const text = await repository.read(path, first);
    if (text.includes(webImage)) files[path] = text.replaceAll(webImage, image);
  }
  await repository.commit({ files, message: `Use ${image}` });
}
