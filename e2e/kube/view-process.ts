/** Opens a view of a cluster in a process of its own and prints what it took: `kubeconfig` is the only argument. */

import { createClusters } from '@mooring/operator/adapters/kube/clusters.ts';
import { fromKubeconfig } from '@mooring/operator/adapters/kube/connect.ts';
import { ownServer } from '@mooring/operator/model/own-cluster.ts';
import { viewOptions } from './fixture.ts';

const connection = await fromKubeconfig({ path: process.argv[2] ?? '' });
const rssMb = (): number => Math.round(process.memoryUsage().rss / 2 ** 20);
const before = { rssMb: rssMb(), cpu: process.cpuUsage() };
const started = performance.now();
const none = { clusters: () => [], subscribe: () => () => {} };
const clusters = createClusters(connection, none, viewOptions());
const cluster = await clusters.open(ownServer);
const readyMs = Math.round(performance.now() - started);
const cpu = process.cpuUsage(before.cpu);
const tracked = Array.from({ length: 200 }, (_, index) => cluster.tracked(`app-${index}`).length).reduce(
  (sum, count) => sum + count,
  0,
);
await new Promise((resolve) => setTimeout(resolve, 3_000));
const idle = process.cpuUsage();
await new Promise((resolve) => setTimeout(resolve, 5_000));
const idleCpu = process.cpuUsage(idle);
process.stdout.write(
  `${JSON.stringify({ tracked, readyMs, cpuMs: Math.round((cpu.user + cpu.system) / 1000), rssBeforeMb: before.rssMb, rssMb: rssMb(), idlePercent: (idleCpu.user + idleCpu.system) / 50_000 })}\n`,
);
await clusters.close();
