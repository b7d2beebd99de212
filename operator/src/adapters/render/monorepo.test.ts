import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { plainRenderer } from '@mooring/renderer-plain';
import { operatorLimits } from '../../model/limits.ts';
import type { Clock } from '../../world/clock.ts';
import type { RenderRequest } from '../../world/renderer.ts';
import { createGit, everyTransport } from '../git/git.ts';
import { createRenderPool } from './render-pool.ts';

const clock: Clock = {
  now: Date.now,
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs).unref();
    return () => clearTimeout(timer);
  },
};
const ignore = (): void => {};

test('a commit to 200 of 1,000 folders renders those 200', async (t) => {
  const home = mkdtempSync(join(tmpdir(), 'mooring-monorepo-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const origin = join(home, 'origin');
  const git = (...args: string[]): void => {
    execFileSync('git', ['-C', origin, '-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...args], {
      stdio: 'pipe',
    });
  };
  const write = (index: number, value: string): void => {
    const folder = join(origin, 'apps', `app-${index}`);
    mkdirSync(folder, { recursive: true });
    for (const name of ['one', 'two', 'three']) {
      const text = `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}-${index}\ndata:\n  value: ${value}\n`;
      writeFileSync(join(folder, `${name}.yaml`), text);
    }
  };
  mkdirSync(origin);
  git('init', '--quiet', '--initial-branch=main');
  for (let index = 0; index < 1_000; index += 1) write(index, 'first');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'first');

  const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
  const source = createGit({
    directory: join(home, 'copies'),
    clock,
    limits: operatorLimits,
    log,
    transports: everyTransport,
  });
  t.after(() => source.close());
  const pool = createRenderPool({ renderers: [plainRenderer], clock });
  const apiVersions = ['v1'];
  const renderAll = async (): Promise<{ rendered: number; manifests: number; openMs: number; renderMs: number }> => {
    const startedAt = performance.now();
    const revision = await source.resolve({ url: origin }, 'main', Date.now());
    const tree = await source.open({ url: origin }, revision);
    const openedAt = performance.now();
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, (_, index) => {
        const request: RenderRequest = {
          repository: origin,
          appName: `app-${index}`,
          namespace: 'default',
          path: `apps/app-${index}`,
          options: {},
          kubeVersion: '1.37.2',
          apiVersions,
          env: { ARGOCD_APP_REVISION: revision.commit },
        };
        return pool.render(tree, request, { fresh: false });
      }),
    );
    return {
      rendered: answers.filter(({ rendered }) => rendered).length,
      manifests: answers.reduce((sum, { manifests }) => sum + manifests.length, 0),
      openMs: Math.round(openedAt - startedAt),
      renderMs: Math.round(performance.now() - openedAt),
    };
  };

  const steps: [string, number, () => void][] = [
    ['first look', 1_000, ignore],
    ['same commit', 0, ignore],
    [
      '200 of 1,000',
      200,
      () => {
        for (let index = 0; index < 1_000; index += 5) write(index, 'second');
      },
    ],
    ['one of 1,000', 1, () => write(7, 'third')],
    ['nothing below apps', 0, () => writeFileSync(join(origin, 'README.md'), 'fourth')],
  ];
  for (const [what, rendered, change] of steps) {
    change();
    git('add', '--all');
    git('commit', '--quiet', '--allow-empty', '--message', what);
    const figures = await renderAll();
    t.diagnostic(`${what}: resolved and opened in ${figures.openMs} ms, 1,000 sources in ${figures.renderMs} ms`);
    assert.deepEqual([what, figures.rendered, figures.manifests], [what, rendered, 3_000]);
  }
});
