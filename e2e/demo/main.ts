import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Application } from '@mooring/crds';
import {
  type ApplicationView,
  applicationsPath,
  installMooring,
  isSettled,
  viewApplications,
} from '../harness/applications.ts';
import { type AnyObject, connectKube, type Kube } from '../harness/kube.ts';
import { type OperatorProcess, startOperatorProcess } from '../harness/operator-process.ts';
import { findPlace, type Place, readLeft, saveLeft, stopPlace } from './place.ts';
import { createScreen, type Screen } from './screen.ts';
import { type Shop, serveShop } from './shop.ts';

const folder = '.mooring';
const reportPath = join(folder, 'demo-report.json');
const leftPath = join(folder, 'running.json');
const settleMs = 300_000;
const stepMs = 60_000;
/** Applications that the shop's root makes, itself included. */
const shopApplications = 25;

/** Everything that the demo started. */
interface Stage {
  readonly place: Place;
  readonly kube: Kube;
  readonly shop: Shop;
  readonly operator: OperatorProcess;
  readonly view: ApplicationView;
  readonly screen: Screen;
}

interface Report {
  applications: number;
  synced: number;
  healthy: number;
  commitToAppliedMs: number;
  commitToSyncedMs: number;
  driftToHealedMs: number;
  pruneMs: number;
  operatorRssMb: number;
  operatorCpuSeconds: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { up: { type: 'boolean' }, down: { type: 'boolean' } } });
  await mkdir(folder, { recursive: true });
  if (values.down) return takeDown();
  const screen = createScreen(process.stdout);
  const undo: (() => Promise<unknown>)[] = [];
  const cleanUp = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      screen.say('stopping');
      cleanUp().finally(() => process.exit(130));
    });
  }
  try {
    const stage = await setUp(screen, values.up === true, undo);
    if (values.up) {
      undo.length = 0;
      await explain(stage);
    } else {
      const report = await show(stage);
      await writeFile(reportPath, `${JSON.stringify(report, null, 2)}\n`);
      summarize(report, screen);
      screen.say('cleaning up');
      await cleanUp();
      screen.say('done');
    }
  } catch (thrown) {
    screen.say(`failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    screen.say(`the operator's log is ${join(folder, 'operator.log')}`);
    await cleanUp();
    process.exitCode = 1;
    return;
  }
  process.exit(0);
}

async function setUp(screen: Screen, keep: boolean, undo: (() => Promise<unknown>)[]): Promise<Stage> {
  const place = await findPlace(keep, screen.say);
  undo.push(() => place.leave());
  screen.say(`cluster: ${place.name}`);
  const kube = await connectKube(place.kubeconfigPath, place.context);
  undo.push(() => kube.close());
  await installMooring(kube);
  screen.say('CRDs installed');
  const data = await mkdtemp(join(tmpdir(), 'mooring-demo-'));
  if (!keep) undo.push(() => rm(data, { recursive: true, force: true }));
  const shop = await serveShop(data, place.webImage, keep);
  undo.push(() => shop.close());
  screen.say(`sample repository: ${shop.repository.url}`);
  const operator = await startOperatorProcess({
    kubeconfigPath: place.kubeconfigPath,
    ...(place.context !== undefined && { context: place.context }),
    dataDirectory: join(data, 'operator'),
    logPath: join(folder, 'operator.log'),
    detached: keep,
  });
  undo.push(() => operator.stop());
  screen.say(`operator: ${operator.url} (metrics, webhook), process ${operator.pid}`);
  const view = viewApplications(kube);
  undo.push(async () => view.stop());
  const root = await shop.root();
  await kube.apply(`${applicationsPath}/shop`, root);
  // On a cluster that stays, the shop goes with its root.
  if (place.context !== undefined) undo.push(() => removeShop(kube, view));
  screen.say('root Application applied; waiting until everything is Synced and Healthy');
  const hide = screen.live(() => view.all());
  try {
    const allSettled = (apps: ReadonlyMap<string, Application>): boolean =>
      apps.size >= shopApplications && [...apps.values()].every((app) => isSettled(app));
    const ms = await view.until('everything Synced and Healthy', allSettled, settleMs);
    hide();
    screen.say(`${view.all().length} applications Synced and Healthy after ${seconds(ms)}`);
  } finally {
    hide();
  }
  if (keep) await saveLeft(leftPath, { operatorPid: operator.pid, gitServerPid: shop.serverPid });
  return { place, kube, shop, operator, view, screen };
}

/** A commit, drift and a prune, each timed by an observer of its own. */
async function show(stage: Stage): Promise<Report> {
  const { kube, shop, operator, view, screen } = stage;
  const post = 'services/shipping/dev/carriers/post.yaml';
  screen.say(`commit: delivery days in ${post}`);
  const text = await shop.repository.read(post);
  const days = String(Date.now() % 1_000);
  const applied = waitFor(
    kube,
    '/api/v1/namespaces/shop-dev/configmaps',
    (object) => object['data']?.['post.days'] === days,
  );
  const { commit, at } = await shop.push(operator.url, 'Post takes longer', {
    [post]: text.replace(/post\.days: .*/, `post.days: "${days}"`),
  });
  const commitToAppliedMs = (await applied) - at;
  await view.until('the commit Synced', (apps) => apps.get('shipping-dev')?.status?.sync?.revision === commit, stepMs);
  const commitToSyncedMs = performance.now() - at;
  screen.say(`  applied after ${milliseconds(commitToAppliedMs)}, Synced after ${milliseconds(commitToSyncedMs)}`);
  const everywhere = await view.until(
    'every application at the new revision',
    (apps) => [...apps.values()].every((app) => isSettled(app, commit)),
    stepMs,
  );
  screen.say(
    `  all ${view.all().length} applications at ${commit.slice(0, 7)} after ${milliseconds(commitToSyncedMs + everywhere)}`,
  );

  screen.say('drift: shop-dev/shipping is scaled to 3 by hand');
  const deployment = '/apis/apps/v1/namespaces/shop-dev/deployments/shipping';
  const wanted = (await kube.get(deployment))['spec'].replicas as number;
  await kube.merge(deployment, { spec: { replicas: 3 } });
  let startedAt = performance.now();
  const scaled =
    (await waitFor(
      kube,
      '/apis/apps/v1/namespaces/shop-dev/deployments',
      (object) => object.metadata.name === 'shipping' && object['spec'].replicas === wanted,
    )) - startedAt;
  screen.say(`  back to ${wanted} after ${milliseconds(scaled)}`);
  screen.say('drift: the Service shop-dev/storefront is deleted by hand');
  const service = '/api/v1/namespaces/shop-dev/services/storefront';
  const { uid } = (await kube.get(service)).metadata;
  await kube.remove(service);
  startedAt = performance.now();
  const remade =
    (await waitFor(
      kube,
      '/api/v1/namespaces/shop-dev/services',
      (object) => object.metadata.name === 'storefront' && object.metadata.uid !== uid,
    )) - startedAt;
  screen.say(`  made again after ${milliseconds(remade)}`);

  const express = 'services/shipping/dev/carriers/express.yaml';
  screen.say(`prune: ${express} is removed from Git`);
  const pruned = waitForDeletion(kube, '/api/v1/namespaces/shop-dev/configmaps', 'carrier-express');
  const last = await shop.push(operator.url, 'No more express', { [express]: null });
  const pruneMs = (await pruned) - last.at;
  screen.say(`  its ConfigMap is gone after ${milliseconds(pruneMs)}`);
  await view.until(
    'every application settled',
    (apps) => [...apps.values()].every((app) => isSettled(app, last.commit)),
    stepMs,
  );

  const usage = operator.usage();
  const apps = view.all();
  return {
    applications: apps.length,
    synced: apps.filter(({ status }) => status?.sync?.status === 'Synced').length,
    healthy: apps.filter(({ status }) => status?.health?.status === 'Healthy').length,
    commitToAppliedMs: Math.round(commitToAppliedMs),
    commitToSyncedMs: Math.round(commitToSyncedMs),
    driftToHealedMs: Math.round(Math.max(scaled, remade)),
    pruneMs: Math.round(pruneMs),
    operatorRssMb: Math.round(usage.rssBytes / 1_048_576),
    operatorCpuSeconds: Math.round(usage.cpuSeconds * 10) / 10,
  };
}

/** The moment at which an object of a list passes the test. */
function waitFor(kube: Kube, path: string, test: (object: AnyObject) => boolean): Promise<number> {
  return observe(kube, path, (type, object) => type !== 'DELETED' && test(object));
}

function waitForDeletion(kube: Kube, path: string, name: string): Promise<number> {
  return observe(kube, path, (type, object) => type === 'DELETED' && object.metadata.name === name);
}

function observe(kube: Kube, path: string, test: (type: string, object: AnyObject) => boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      stop();
      reject(new Error(`${path}: what was waited for did not come within ${stepMs / 1_000} s`));
    }, stepMs);
    const stop = kube.watch(path, (type, object) => {
      if (!test(type, object)) return;
      clearTimeout(timer);
      stop();
      resolve(performance.now());
    });
  });
}

async function removeShop(kube: Kube, view: ApplicationView): Promise<void> {
  await kube.remove(`${applicationsPath}/shop`);
  await view.until('the shop is gone', (apps) => apps.size === 0, stepMs * 2);
}

function summarize(report: Report, screen: Screen): void {
  screen.say('summary');
  for (const [name, value] of Object.entries(report)) screen.say(`  ${name.padEnd(20)} ${value}`);
  screen.say(`written to ${reportPath}`);
}

async function explain({ place, shop, operator, screen }: Stage): Promise<void> {
  const kubectl = `export KUBECONFIG=${place.kubeconfigPath}`;
  screen.say('everything stays up; to look around:');
  for (const line of [
    kubectl,
    `${place.context === undefined ? '.tools/cluster/kubectl' : 'kubectl'} get applications -n argocd   # npx mooring --help has more`,
    `git clone ${shop.repository.url}   # change, commit and push; the operator polls, or curl the webhook`,
    `curl ${operator.url}/metrics`,
    `tail -f ${join(folder, 'operator.log')}`,
    'make down   # stops it all',
  ]) {
    screen.say(`  ${line}`);
  }
}

async function takeDown(): Promise<void> {
  const left = await readLeft(leftPath);
  for (const pid of [left?.operatorPid, left?.gitServerPid]) {
    if (pid === undefined) continue;
    try {
      process.kill(pid, 'SIGTERM');
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown;
    }
  }
  await rm(leftPath, { force: true });
  process.stdout.write((await stopPlace()) ? 'stopped\n' : 'nothing was running\n');
}

const milliseconds = (ms: number): string => `${Math.round(ms)} ms`;
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

await main();
