import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { buildHelm, startCluster, stopCluster } from '../e2e/cluster/cluster.ts';
import type { GitRepository } from '../e2e/git-server/git-repository.ts';
import { startGitServer } from '../e2e/git-server/git-server.ts';
import { type ApplicationView, applicationsPath, isSettled, viewApplications } from '../e2e/harness/applications.ts';
import { answerOf, eventually, type Installed, prepareInstallation } from '../e2e/harness/installed.ts';
import { connectKube, type Kube } from '../e2e/harness/kube.ts';
import { buildImage } from '../image/build.ts';
import type { Figure } from './figure.ts';
import { applicationOf, filesOf, namespace } from './monorepo.ts';

const clusterName = 'mooring-bench-pod';
const samples = fileURLToPath(new URL('../e2e/samples', import.meta.url));
/** Applications of the shop, the root among them. */
const shopApplications = 25;
/** After its last render an engine is kept for a minute. */
const restMs = 75_000;
const user = { name: 'mooring', password: 'a-token-of-the-git-host' };

interface Bench {
  readonly applications: number;
  readonly tell: (line: string) => void;
  readonly print: (figure: Figure) => void;
  /** Takes what is to be undone at the end, the last first. */
  readonly undo: (step: () => unknown) => void;
}

/** Mooring as a pod of its image on a real node, installed from its chart. */
export async function measurePod({ applications, tell, print, undo }: Bench): Promise<void> {
  await buildHelm(tell);
  await buildImage({ onProgress: tell });
  undo(() => stopCluster(clusterName));
  const cluster = await startCluster({ name: clusterName, node: 'real', onProgress: tell });
  const git = await startGitServer({ host: cluster.pods?.gateway ?? '', users: { [user.name]: user.password } });
  undo(() => git.close());
  const kube = await connectKube(cluster.kubeconfigPath);
  undo(() => kube.close());
  const shop = await git.createRepository('shop');
  await shop.commit({ from: samples, message: 'The shop' });
  const many = await git.createRepository('bench');
  const files = Object.assign({}, ...Array.from({ length: applications }, (_, index) => filesOf(index)));
  await many.commit({ files, message: 'start' });

  const startedAt = performance.now();
  const mooring = await prepareInstallation(cluster, tell);
  const credentials = { type: 'git', url: git.url, username: user.name, password: user.password };
  await mooring.install({ configs: { credentialTemplates: { git: credentials } } });
  const view = viewApplications(kube);
  undo(() => view.stop());
  await deployShop(kube, shop);
  await view.until(
    'a first application',
    (apps) => [...apps.values()].some((app) => app.status?.sync?.status === 'Synced'),
    300_000,
  );
  print({ figure: 'imageImportToFirstSynced', unit: 's', runs: [(performance.now() - startedAt) / 1_000], limit: 60 });

  await allSettled(view, shopApplications);
  tell(`the pod at rest for ${restMs / 1_000} s`);
  await sleep(restMs);
  print({ figure: 'podMemoryWithShop', unit: 'MB', runs: [await residentMegabytes(mooring)], limit: 180 });

  await kube.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  for (let index = 0; index < applications; index += 1)
    await kube.create(applicationsPath, applicationOf(index, many.url));
  await allSettled(view, shopApplications + applications);
  const runs: number[] = [];
  for (let run = 0; run < 3; run += 1) runs.push(await restartToReady(kube, mooring));
  print({ figure: `podReadyWith${applications}Applications`, unit: 's', runs, limit: 5 });
}

async function deployShop(kube: Kube, shop: GitRepository): Promise<void> {
  const text = await readFile(`${samples}/root.yaml`, 'utf8');
  await kube.create(applicationsPath, parse(text.replaceAll('https://git.example.com/shop.git', shop.url)));
}

async function allSettled(view: ApplicationView, count: number): Promise<void> {
  await view.until(
    `${count} applications`,
    (apps) => apps.size === count && [...apps.values()].every((app) => isSettled(app)),
    300_000,
  );
}

async function residentMegabytes(mooring: Installed): Promise<number> {
  const [pod] = await mooring.pods();
  const { text } = await answerOf(`${pod?.url}/metrics`);
  return Number(/^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1]) / 1_048_576;
}

/** Deletes the pod; answers the seconds from the start of the next one's container, which Kubernetes tells to the second, until it is ready. */
async function restartToReady(kube: Kube, mooring: Installed): Promise<number> {
  const [old] = await mooring.pods();
  await kube.remove(`/api/v1/namespaces/argocd/pods/${old?.name}`);
  const next = await eventually('another pod is ready', 120_000, async () =>
    (await mooring.pods()).find(({ uid, ready }) => uid !== old?.uid && ready),
  );
  const readyAt = Date.now();
  const pod = await kube.get(`/api/v1/namespaces/argocd/pods/${next.name}`);
  return (readyAt - Date.parse(pod['status'].containerStatuses[0].state.running.startedAt)) / 1_000;
}
