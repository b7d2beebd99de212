import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { type GitRepository, NO_COMMIT, openRepository } from '../git-server/git-repository.ts';
import { githubPush, sendWebhook } from '../git-server/webhook.ts';
import { freePort } from '../harness/operator-process.ts';

const samples = fileURLToPath(new URL('../samples', import.meta.url));
const placeholder = 'https://git.example.com/shop.git';

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
}

/** `image` takes the place of the samples' own web server, where it is given. */
export async function serveShop(folder: string, image: string | undefined): Promise<Shop> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/shop.git`;
  const repository = await openRepository({ name: 'shop', url, path: join(folder, 'shop.git') });
  const first = await repository.commit({ from: samples, message: 'The shop' });
  if (image !== undefined) await useImage(repository, first, image);
  // Not our own standard error: whoever reads that would wait for the server's end.
  const errorsPath = join(folder, 'git-server.log');
  const errors = openSync(errorsPath, 'a');
  const program = fileURLToPath(new URL('serve.ts', import.meta.url));
  const server = spawn(process.execPath, [program, folder, String(port), 'shop'], {
    stdio: ['ignore', 'pipe', errors],
    detached: true,
  });
  closeSync(errors);
  await listening(server, errorsPath);
  server.stdout?.destroy();
  server.unref();
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
  };
}

async function listening(server: ChildProcess, errorsPath: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.stdout?.once('data', () => resolve());
    server.once('exit', (code) => {
      reject(new Error(`the Git server ended with ${code}:\n${readFileSync(errorsPath, 'utf8')}`));
    });
  });
}

/** Names another web server wherever the samples name their own, and a busybox that every cluster can pull. */
async function useImage(repository: GitRepository, first: string, image: string): Promise<void> {
  const { added } = await repository.changes(NO_COMMIT, first);
  const files: Record<string, string> = {};
  for (const path of added) {
    const text = await repository.read(path, first);
    const changed = withImage(text, image);
    if (changed !== text) files[path] = changed;
  }
  await repository.commit({ files, message: `Use ${image}` });
}

/** A file of the samples with another web server, `NAME:TAG`. */
export function withImage(text: string, image: string): string {
  const colon = image.lastIndexOf(':');
  const [name, tag] = [image.slice(0, colon), image.slice(colon + 1)];
  return (
    text
      .replaceAll('mooring.local/web:v1', image)
      .replaceAll('mooring.local/busybox:1', 'docker.io/library/busybox:1')
      // A kustomization names the image that is replaced, a chart's values the one that is used.
      .replaceAll(
        /^( *)- name: mooring\.local\/web\n *newTag: v1$/gm,
        `$1- name: mooring.local/web\n$1  newName: ${name}\n$1  newTag: "${tag}"`,
      )
      .replaceAll(
        /^( *)repository: mooring\.local\/web\n([\s\S]*?)^ *tag: ""$/gm,
        `$1repository: ${name}\n$2$1tag: "${tag}"`,
      )
  );
}
