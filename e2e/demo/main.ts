import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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
import { identityOf, isInUse, type Left, readLeft, writeLeft } from './left.ts';
import { findPlace, type Place } from './place.ts';
import { createScreen, type Screen } from './screen.ts';
import { type Shop, serveShop } from './shop.ts';
import { takeDown } from './take-down.ts';

const usage = `usage: node e2e/demo/main.ts [--up | --down]

  (nothing)   show the whole thing, then clean up
  --up        leave everything running at the end
  --down      remove what --up left, or an interrupted run
`;

const folder = '.mooring';
const reportPath = join(folder, 'demo-report.json');
const leftPath = join(folder, 'running.json');
const logPath = join(folder, 'operator.log');
const settleMs = 300_000;
const stepMs = 60_000;
/** How long a start that is interrupted may take to end by itself. */
const interruptMs = 10_000;
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
  const options = { up: { type: 'boolean' }, down: { type: 'boolean' }, help: { type: 'boolean' } } as const;
  const { values } = parseArgs({ options });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  await mkdir(folder, { recursive: true });
  const screen = createScreen(process.stdout);
  if (values.down) {
    const left = await readLeft(leftPath);
    if (!(await takeDown(leftPath, screen.say))) process.exitCode = 1;
    else screen.say(left === undefined ? 'nothing was running' : 'stopped');
    return;
  }
  const running = run(screen, values.up === true);
  let interrupted = false;
  const interrupt = async (code: number): Promise<void> => {
    // The second time somebody is in a hurry: `make down` and the next run clean up.
    if (interrupted) process.exit(code);
    interrupted = true;
    screen.say('stopping');
    // What is being started meanwhile fails when its ground is taken away, and is written down before it starts: so twice.
    await takeDown(leftPath, screen.say);
    await Promise.race([running.catch(() => undefined), sleep(interruptMs)]);
    if (await takeDown(leftPath, screen.say)) screen.say('stopped');
    process.exit(code);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => void interrupt(128 + constants.signals[signal]));
  }
  // Nobody reads on, as with `make demo | head`.
  process.stdout.on('error', () => {
    if (!interrupted) void interrupt(1);
  });
  try {
    await running;
  } catch (thrown) {
    if (interrupted) return;
    screen.say(`failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    await takeDown(leftPath, screen.say);
    process.exit(1);
  }
  if (!interrupted) process.exit(0);
}

async function run(screen: Screen, keep: boolean): Promise<void> {
  const before = await readLeft(leftPath);
  if (before !== undefined) {
    if (isInUse(before)) {
      const who = before.owner === undefined ? 'what `make up` started is' : `a demo (process ${before.owner.pid}) is`;
      // It is not ours to take down.
      screen.say(`failed: ${who} still running; stop it with: make down`);
      process.exit(1);
    }
    screen.say('removing what an earlier run left');
    if (!(await takeDown(leftPath, screen.say))) throw new Error('something of it stays; `make down` tries again');
  }
  const stage = await setUp(screen, keep);
  await settle(stage);
  if (keep) {
    const left = await readLeft(leftPath);
    const { owner: _, ...rest } = left ?? {};
    await writeLeft(leftPath, rest);
    explain(stage);
    return;
  }
  const report = await whileRunning(stage.operator, show(stage));
  await writeFile(reportPath, `${JSON.stringify(report, null, 2)}\n`);
  summarize(report, screen);
  screen.say('cleaning up');
  if (!(await takeDown(leftPath, screen.say))) throw new Error('something stays; `make down` tries again');
  screen.say('done');
}

async function setUp(screen: Screen, keep: boolean): Promise<Stage> {
  const self = identityOf(process.pid);
  let left: Left = self === undefined ? {} : { owner: self };
  const note = async (more: Left): Promise<void> => {
    left = { ...left, ...more };
    await writeLeft(leftPath, left);
  };
  await rm(logPath, { force: true });
  const place = await findPlace(keep, screen.say, (cluster) => note({ cluster }));
  screen.say(`cluster: ${place.name}`);
  const kube = await connectKube(place.kubeconfigPath, place.context);
  await refuseOthers(kube, place);
  await installMooring(kube);
  screen.say('CRDs installed');
  const data = await mkdtemp(join(tmpdir(), 'mooring-demo-'));
  await note({ folder: data });
  const shop = await serveShop(data, place.webImage);
  await noteProcess(shop.serverPid, 'gitServer');
  screen.say(`sample repository: ${shop.repository.url}`);
  // Each in a session of its own: Ctrl-C in a terminal is for the demo, which ends them in the right order.
  const operator = await startOperatorProcess({
    kubeconfigPath: place.kubeconfigPath,
    ...(place.context !== undefined && { context: place.context }),
    dataDirectory: join(data, 'operator'),
    logPath,
    detached: true,
  });
  await noteProcess(operator.pid, 'operator');
  screen.say(`operator: ${operator.url} (process ${operator.pid})`);
  screen.say(`operator's log: ${logPath}`);
  const view = viewApplications(kube);
  return { place, kube, shop, operator, view, screen };

  async function noteProcess(pid: number, role: 'gitServer' | 'operator'): Promise<void> {
    const id = identityOf(pid);
    if (id !== undefined) await note({ [role]: id });
  }
}

/** The demo's operator would look after every Application that is there. */
async function refuseOthers(kube: Kube, place: Place): Promise<void> {
  const list = await kube.find(applicationsPath);
  const count = (list?.['items'] as readonly unknown[] | undefined)?.length ?? 0;
  if (count === 0) return;
  throw new Error(
    `${place.name} has ${count} Applications in the namespace argocd, and the demo would take them over: use a cluster without any`,
  );
}

/** Applies the root Application and waits for everything that it makes. */
async function settle({ kube, shop, operator, view, screen }: Stage): Promise<void> {
  await kube.apply(`${applicationsPath}/shop`, await shop.root());
  screen.say('root Application applied; waiting until all is Synced and Healthy');
  const hide = screen.live(() => view.all());
  try {
    const allSettled = (apps: ReadonlyMap<string, Application>): boolean =>
      apps.size >= shopApplications && [...apps.values()].every((app) => isSettled(app));
    const settled = view.until('everything Synced and Healthy', allSettled, settleMs);
    const ms = await whileRunning(operator, settled);
    hide();
    screen.say(`${view.all().length} applications Synced and Healthy after ${seconds(ms)}`);
  } finally {
    hide();
  }
}

/** What the work answers. Throws as soon as the operator ends. */
function whileRunning<T>(operator: OperatorProcess, work: Promise<T>): Promise<T> {
  const ended = operator.ended.then((code): never => {
    throw new Error(`the operator ended (${code === null ? 'killed' : `exit ${code}`}); its log is ${logPath}`);
  });
  return Promise.race([work, ended]);
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

function summarize(report: Report, screen: Screen): void {
  screen.say('summary');
  for (const [name, value] of Object.entries(report)) screen.say(`  ${name.padEnd(20)} ${value}`);
  screen.say(`written to ${reportPath}`);
}

function explain({ place, shop, operator, screen }: Stage): void {
  const { url } = shop.repository;
  const push = JSON.stringify({ repository: { clone_url: url } });
  screen.say('everything stays up; these lines can be copied:');
  for (const line of [
    `export KUBECONFIG='${place.kubeconfigPath}'`,
    `${place.kubectl} get applications -n argocd`,
    `npx mooring diff storefront-dev   # nothing: the cluster is as Git says`,
    `git clone ${url} /tmp/shop   # change, commit and push; things to try: e2e/samples/README.md`,
    `curl -H 'X-GitHub-Event: push' -d '${push}' ${operator.url}/api/webhook   # else it asks every 2 to 3 minutes`,
    `curl ${operator.url}/metrics`,
    `tail -f ${logPath}`,
    'make down   # stops it all',
  ]) {
    screen.print(`  ${line}`);
  }
}

const milliseconds = (ms: number): string => `${Math.round(ms)} ms`;
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

await main();
