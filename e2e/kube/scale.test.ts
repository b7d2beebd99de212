import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import type { KubeObject } from '@mooring/renderer-contract';
import { type Cluster, startCluster } from '../cluster/cluster.ts';
import { configMap, permitAll, tracked, type Watched, watchCluster } from './fixture.ts';

let real: Cluster;
let view: Watched;

before(async () => {
  real = await startCluster({ name: 'kube-scale', node: 'none' });
  view = await watchCluster(real);
});

after(async () => {
  await view?.close();
  await real?.stop();
});

function objectsOf(app: number): KubeObject[] {
  const name = `app-${app}`;
  const deployment = (part: string): KubeObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: `${name}-${part}`, namespace: 'default', labels: { app: name } },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: name, part } },
      template: {
        metadata: { labels: { app: name, part } },
        spec: {
          containers: [
            {
              name: 'main',
              image: 'example.com/main:1',
              env: Array.from({ length: 10 }, (_, index) => ({ name: `NAME_${index}`, value: `${index}` })),
            },
          ],
        },
      },
    },
  });
  const service = (part: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: `${name}-${part}`, namespace: 'default' },
    spec: { clusterIP: 'None', selector: { app: name, part }, ports: [{ port: 80 }] },
  });
  const maps = Array.from({ length: 6 }, (_, index) => configMap(`${name}-${index}`, { key: 'value'.repeat(20) }));
  return [deployment('web'), deployment('work'), service('web'), service('work'), ...maps].map((object) =>
    tracked(name, object),
  );
}

test('2,000 objects are written, then seen by a fresh process within its limits', { timeout: 300_000 }, async () => {
  const objects = Array.from({ length: 200 }, (_, app) => objectsOf(app)).flat();
  assert.equal(objects.length, 2_000);
  const started = performance.now();
  const cpu = process.cpuUsage();
  const queue = objects.values();
  const worker = async (): Promise<void> => {
    for (const object of queue)
      await view.cluster.apply(object, { how: 'server-side', validate: true, guard: permitAll });
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  const seconds = (performance.now() - started) / 1000;
  const used = process.cpuUsage(cpu);
  console.log(
    `# ${objects.length} applies in ${seconds.toFixed(1)} s, ${((used.user + used.system) / 1000 / objects.length).toFixed(2)} ms CPU each`,
  );
  assert.equal(view.cluster.tracked('app-7').length, 10);
  assert.equal(view.changes.filter(({ what }) => what !== 'health').length, 0, 'own writes are not told');

  const { stdout } = await promisify(execFile)(process.execPath, [
    new URL('view-process.ts', import.meta.url).pathname,
    real.kubeconfigPath,
  ]);
  console.log(`# ${stdout.trim()}`);
  const seen = JSON.parse(stdout) as { tracked: number; readyMs: number; rssMb: number };
  assert.equal(seen.tracked, 2_000);
  assert.ok(seen.readyMs < 10_000, `ready after ${seen.readyMs} ms`);
  assert.ok(seen.rssMb < 200, `${seen.rssMb} MB resident`);
});
