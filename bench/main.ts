import { mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Application } from '@mooring/crds';
import { stringify } from 'yaml';
import { startCluster, stopCluster } from '../e2e/cluster/cluster.ts';
import type { GitRepository } from '../e2e/git-server/git-repository.ts';
import { type GitServer, startGitServer } from '../e2e/git-server/git-server.ts';
import { githubPush, sendWebhook } from '../e2e/git-server/webhook.ts';
import {
  type ApplicationView,
  applicationsPath,
  installMooring,
  isSettled,
  viewApplications,
} from '../e2e/harness/applications.ts';
import { connectKube, type Kube } from '../e2e/harness/kube.ts';
import { type OperatorProcess, startOperatorProcess } from '../e2e/harness/operator-process.ts';
import { lineOf, median } from './figure.ts';
import { applicationAt, chartFiles, chartName, endlessChart, startHungServer, valuesPath } from './hostile.ts';
import { applicationOf, appName, filesOf, namespace, settings, settingsPath } from './monorepo.ts';
import { measurePod } from './pod.ts';
import { scrapeTimes } from './scrape.ts';

const usage = `Measures Mooring on the local cluster; one JSON line a figure on standard output, progress on standard error.

  node bench/main.ts [--applications 200] [--commits 20] [--bursts 3] [--idle 60] [--pod]

First as a process; then, as root, as a pod of its image on a real node. With --pod only that.
`;

const clusterName = 'mooring-bench';
const { help, pod, ...counts } = readArguments();
const { applications } = counts;

function readArguments(): Record<'applications' | 'commits' | 'bursts' | 'idle', number> & {
  help: boolean;
  pod: boolean;
} {
  try {
    const { values } = parseArgs({
      options: {
        applications: { type: 'string', default: '200' },
        commits: { type: 'string', default: '20' },
        bursts: { type: 'string', default: '3' },
        idle: { type: 'string', default: '60' },
        pod: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    const count = (name: 'applications' | 'commits' | 'bursts' | 'idle'): number => {
      if (/^[1-9]\d{0,5}$/.test(values[name])) return Number(values[name]);
      throw new Error(`--${name} ${values[name]}: give a whole number from 1 on`);
    };
    return {
      applications: count('applications'),
      commits: count('commits'),
      bursts: count('bursts'),
      idle: count('idle'),
      pod: values.pod,
      help: values.help,
    };
  } catch (thrown) {
    process.stderr.write(`${thrown instanceof Error ? thrown.message : String(thrown)}\n\n${usage}`);
    process.exit(2);
  }
}

interface Rig {
  readonly kube: Kube;
  readonly view: ApplicationView;
  readonly operator: OperatorProcess;
  readonly repository: GitRepository;
}

const tell = (line: string): void => {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
};
const print = (...figure: Parameters<typeof lineOf>): void => {
  process.stdout.write(`${lineOf(...figure)}\n`);
};

async function push(
  { operator, repository }: Rig,
  files: Record<string, string>,
): Promise<{ commit: string; at: number }> {
  const before = await repository.resolve('main');
  const after = await repository.commit({ files, message: 'bench' });
  const changes = await repository.changes(before, after);
  const delivery = githubPush({ repoURL: repository.url, ref: 'refs/heads/main', before, after, changes });
  const at = performance.now();
  await sendWebhook(`${operator.url}/api/webhook`, delivery);
  return { commit: after, at };
}

/** Those of the repository that commits go to. */
function goodOnes(apps: ReadonlyMap<string, Application>): readonly Application[] {
  return [...apps.values()].filter(({ metadata: { name = '' } }) => /^(app|chart)-/.test(name));
}

/** What one commit changes, and the ConfigMap that shows it. */
interface Target {
  readonly app: string;
  readonly files: (value: string) => Record<string, string>;
}

const plainTarget = (run: number): Target => {
  // Spread over the repository, so that no order of work is favoured.
  const index = (run * 67 + 31) % applications;
  return { app: appName(index), files: (value) => ({ [settingsPath(index)]: settings(index, value) }) };
};

const chartTarget = (run: number): Target => {
  const index = run % hostile.charts;
  return { app: chartName(index), files: (value) => ({ [valuesPath(index)]: stringify({ value }) }) };
};

/** Milliseconds from each commit's webhook. */
interface Latencies {
  readonly applied: number[];
  readonly synced: number[];
}

/** One commit to one Application at a time: from the webhook to the object, and to the Application Synced at that commit. */
async function latency(rig: Rig, name: string, commits: number, targetOf: (run: number) => Target): Promise<Latencies> {
  const seen = new Map<string, number>();
  const stop = rig.kube.watch(`/api/v1/namespaces/${namespace}/configmaps`, (_, object) => {
    seen.set(`${object.metadata.name} ${object['data']?.['value']}`, performance.now());
  });
  const applied: number[] = [];
  const synced: number[] = [];
  for (let run = 0; run < commits; run += 1) {
    const { app: committed, files } = targetOf(run);
    const value = `${name} ${run}`;
    const { commit, at } = await push(rig, files(value));
    await rig.view.until(
      `commit ${run}`,
      (apps) => {
        const app = apps.get(committed);
        return app !== undefined && isSettled(app, commit);
      },
      60_000,
    );
    synced.push(performance.now() - at);
    applied.push((seen.get(`${committed}-settings ${value}`) ?? Number.NaN) - at);
    await rig.view.until(
      `commit ${run} everywhere`,
      (apps) => goodOnes(apps).every((app) => isSettled(app, commit)),
      60_000,
    );
    await sleep(500);
  }
  stop();
  return { applied, synced };
}

/** How much slower commits go beside Git servers that hang and charts that never end: before, beside and after them, so that a machine that changes shows. */
async function besideHostile(rig: Rig, git: GitServer): Promise<void> {
  const bad = await git.createRepository('hostile');
  const names = Array.from({ length: hostile.charts }, (_, index) => `endless-${index}`);
  await bad.commit({
    files: Object.assign({}, ...names.map(endlessChart)) as Record<string, string>,
    message: 'start',
  });
  const good = Array.from({ length: hostile.charts }, (_, index) => index);
  await push(rig, Object.assign({}, ...good.map(chartFiles)) as Record<string, string>);
  for (const index of good)
    await rig.kube.create(
      applicationsPath,
      applicationAt(chartName(index), rig.repository.url, `charts/${chartName(index)}`),
    );
  const measure = async (name: string): Promise<Record<'plain' | 'chart', Latencies>> => ({
    plain: await latency(rig, `${name} plain`, hostile.commits, plainTarget),
    chart: await latency(rig, `${name} chart`, hostile.commits, chartTarget),
  });
  await measure('warm');
  const before = await measure('before');
  const servers = await Promise.all(Array.from({ length: hostile.servers }, startHungServer));
  undo.push(() => Promise.all(servers.map((server) => server.close())));
  for (const [index, server] of servers.entries())
    await rig.kube.create(applicationsPath, applicationAt(`hung-${index}`, server.url, '.'));
  for (const name of names) await rig.kube.create(applicationsPath, applicationAt(name, bad.url, name));
  await sleep(hostile.settleMs);
  const beside = await measure('beside');
  for (const name of [...names, ...servers.keys().map((index) => `hung-${index}`)])
    await rig.kube.remove(`${applicationsPath}/${name}`);
  await sleep(hostile.settleMs);
  const after = await measure('after');
  for (const index of good) await rig.kube.remove(`${applicationsPath}/${chartName(index)}`);
  for (const kind of ['plain', 'chart'] as const) {
    for (const what of ['applied', 'synced'] as const) {
      const alone = median([...before[kind][what], ...after[kind][what]]);
      const name = `${kind}${what === 'applied' ? 'Applied' : 'Synced'}`;
      print({ figure: `${name}Alone`, unit: 'ms', runs: [...before[kind][what], ...after[kind][what]] });
      print({ figure: `${name}BesideHostile`, unit: 'ms', runs: beside[kind][what] });
      print({ figure: `${name}Growth`, unit: '%', runs: [(median(beside[kind][what]) / alone - 1) * 100], limit: 10 });
    }
  }
}

/** One commit that touches one ConfigMap of every application. */
async function burst(rig: Rig, runs: number): Promise<void> {
  const wall: number[] = [];
  const cpu: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const files = Object.fromEntries(
      Array.from({ length: applications }, (_, index) => [settingsPath(index), settings(index, `burst ${run}`)]),
    );
    const before = rig.operator.usage().cpuSeconds;
    const { commit, at } = await push(rig, files);
    await rig.view.until(`burst ${run}`, (apps) => goodOnes(apps).every((app) => isSettled(app, commit)), 300_000);
    wall.push((performance.now() - at) / 1_000);
    await sleep(3_000);
    cpu.push(rig.operator.usage().cpuSeconds - before);
    tell(`burst ${run + 1} of ${runs}: ${wall.at(-1)?.toFixed(2)} s`);
  }
  print({ figure: `burstOf${applications}Synced`, unit: 's', runs: wall, limit: 6 });
  print({ figure: `burstOf${applications}OperatorCpu`, unit: 's', runs: cpu });
}

async function rest(rig: Rig, idleSeconds: number): Promise<void> {
  await sleep(15_000);
  const before = rig.operator.usage();
  await sleep(idleSeconds * 1_000);
  const after = rig.operator.usage();
  print({ figure: 'operatorMemoryAtRest', unit: 'MB', runs: [after.rssBytes / 1_048_576], limit: 200 });
  print({
    figure: 'operatorIdleCpu',
    unit: '%',
    runs: [((after.cpuSeconds - before.cpuSeconds) / idleSeconds) * 100],
    limit: 2,
  });
}

/** From the start of the process until `/readyz` answers 200; all applications exist and are synced. */
async function start(rig: Rig, startOperator: () => Promise<OperatorProcess>): Promise<void> {
  await rig.operator.stop();
  const ready: number[] = [];
  for (let run = 0; run < readyRuns; run += 1) {
    const startedAt = performance.now();
    const operator = await startOperator();
    ready.push(performance.now() - startedAt);
    await operator.stop();
  }
  print({ figure: 'readyMs', unit: 'ms', runs: ready, limit: 5_000 });
}

const readyRuns = 5;
/** `settleMs`: until every hostile one has been tried, and for an engine that was ended to be made anew. */
const hostile = { servers: 10, charts: 10, commits: 20, settleMs: 15_000 };
const undo: (() => unknown)[] = [];

async function cleanUp(): Promise<void> {
  for (const step of undo.splice(0).reverse()) await step();
}

async function main(): Promise<void> {
  if (help) {
    process.stdout.write(usage);
    return;
  }
  if (!pod) {
    await measureProcess();
    await cleanUp();
  }
  if (process.getuid?.() !== 0) tell('not measured as a pod: a real node needs root');
  else await measurePod({ applications, tell, print, undo: (step) => undo.push(step) });
}

async function measureProcess(): Promise<void> {
  print({ figure: 'scrapeMs', unit: 'ms', runs: await scrapeTimes(20), limit: 50 });
  const data = await mkdtemp(join(tmpdir(), 'mooring-bench-'));
  undo.push(() => rm(data, { recursive: true, force: true }));
  // By name, so that one that is just starting goes too.
  undo.push(() => stopCluster(clusterName));
  const cluster = await startCluster({ name: clusterName, node: 'none', onProgress: tell });
  const git = await startGitServer();
  undo.push(() => git.close());
  const repository = await git.createRepository('bench');
  const kube = await connectKube(cluster.kubeconfigPath);
  undo.push(() => kube.close());
  await installMooring(kube);
  await kube.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const files = Object.assign({}, ...Array.from({ length: applications }, (_, index) => filesOf(index))) as Record<
    string,
    string
  >;
  const commit = await repository.commit({ files, message: 'start' });
  const startOperator = (): Promise<OperatorProcess> =>
    startOperatorProcess({
      kubeconfigPath: cluster.kubeconfigPath,
      dataDirectory: join(data, 'operator'),
      logPath: join('.mooring', 'bench-operator.log'),
    });
  const operator = await startOperator();
  undo.push(async () => {
    if (operator.isRunning()) await operator.stop();
  });
  const view = viewApplications(kube);
  undo.push(() => view.stop());
  const rig = { kube, view, operator, repository };
  tell(`creating ${applications} applications of 10 objects`);
  const startedAt = performance.now();
  for (let index = 0; index < applications; index += 1)
    await kube.create(applicationsPath, applicationOf(index, repository.url));
  await view.until(
    'first sync',
    (apps) => apps.size === applications && [...apps.values()].every((app) => isSettled(app, commit)),
    300_000,
  );
  print({ figure: `firstSyncOf${applications}`, unit: 's', runs: [(performance.now() - startedAt) / 1_000] });
  tell(`${counts.commits} commits, one application each`);
  const { applied, synced } = await latency(rig, 'latency', counts.commits, plainTarget);
  print({ figure: 'commitToApplied', unit: 'ms', runs: applied, limit: 250 });
  print({ figure: 'commitToSynced', unit: 'ms', runs: synced, limit: 350 });
  tell(`${counts.bursts} commits, all applications each`);
  await burst(rig, counts.bursts);
  tell(`at rest for ${counts.idle} s`);
  await rest(rig, counts.idle);
  tell(`commits beside ${hostile.servers} Git servers that hang and ${hostile.charts} charts that never end`);
  await besideHostile(rig, git);
  tell(`${readyRuns} starts`);
  await start(rig, startOperator);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    tell('stopping');
    cleanUp().finally(() => process.exit(128 + constants.signals[signal]));
  });
}

main()
  .finally(cleanUp)
  .then(
    () => process.exit(0),
    (thrown: unknown) => {
      process.stderr.write(`${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}\n`);
      process.exit(1);
    },
  );
