import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Application } from '@mooring/crds';
import { type Cluster, startCluster } from '../cluster/cluster.ts';
import { type GitServer, startGitServer } from '../git-server/git-server.ts';
import { type ApplicationView, applicationsPath, installMooring, viewApplications } from '../harness/applications.ts';
import { type AnyObject, connectKube, type Kube } from '../harness/kube.ts';
import { type OperatorProcess, startOperatorProcess } from '../harness/operator-process.ts';
import { type Fate, type FaultProxy, type ProxiedWrite, startFaultProxy } from './fault-proxy.ts';
import { groupOf, shop } from './shop.ts';

/**
 * Every write of two syncs and of the deletion after them is broken in every way, one at a time: the end must be that of the run without a fault, and no hook may run twice.
 * All of it takes a quarter of an hour, so a run takes every `parts`th point, another part each day. `FAULTS=all` takes all, `FAULTS=3` the third part,
 * and `FAULTS=kill-after:17` one point.
 */
const parts = 16;
/** Applications at a time. */
const atOnce = 12;
const patienceMs = 120_000;

/** How one write is broken. `isWhole`: the operation goes on by itself, so that no hook has a reason to run again. */
interface Breakage {
  readonly name: string;
  readonly isWhole: boolean;
  readonly fate: Fate | 'kill-before' | 'kill-after';
}

const json = { 'content-type': 'application/json' };
const status = (code: number, reason: string): string =>
  JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, code, message: `injected ${reason}` });
const refused = (code: number, reason: string, stored: boolean, headers = {}): Fate => ({
  do: 'answer',
  stored,
  status: code,
  headers: { ...json, ...headers },
  body: status(code, reason),
});

const breakages: readonly Breakage[] = [
  { name: 'kill-before', isWhole: true, fate: 'kill-before' },
  { name: 'kill-after', isWhole: true, fate: 'kill-after' },
  { name: '500-after', isWhole: false, fate: refused(500, 'InternalError', true) },
  { name: '409', isWhole: false, fate: refused(409, 'Conflict', false) },
  { name: '429', isWhole: true, fate: refused(429, 'TooManyRequests', false, { 'retry-after': '1' }) },
  { name: 'reset', isWhole: false, fate: { do: 'cut', how: 'reset' } },
  { name: 'truncate', isWhole: false, fate: { do: 'cut', how: 'truncate' } },
  {
    name: 'html',
    isWhole: false,
    fate: {
      do: 'answer',
      stored: false,
      status: 502,
      headers: { 'content-type': 'text/html' },
      body: '<html><body><h1>502 Bad Gateway</h1></body></html>',
    },
  },
  { name: 'lose-after', isWhole: false, fate: { do: 'lose-after' } },
];

interface Point {
  readonly breakage: Breakage;
  /** Which write of the Application; the first is 1. */
  readonly write: number;
}

/** What became of one Application. */
interface Played {
  readonly app: string;
  readonly writes: string[];
  /** Uids of its hooks, by name and run. */
  readonly hooks: Map<string, Set<string>>;
  readonly point: Point | undefined;
}

let cluster: Cluster;
let git: GitServer;
let kube: Kube;
let proxy: FaultProxy;
let view: ApplicationView;
let operator: OperatorProcess;
let folder: string;
let starting: Promise<void> | undefined;
const played = new Map<string, Played>();
const stops: (() => void)[] = [];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mooring-faults-'));
  cluster = await startCluster({ name: 'e2e-faults', node: 'simulated' });
  git = await startGitServer();
  kube = await connectKube(cluster.kubeconfigPath);
  await installMooring(kube);
  await kube.create('/api/v1/namespaces/argocd/configmaps', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'argocd-cm' },
    data: { 'timeout.reconciliation': '2s', 'timeout.reconciliation.jitter': '0s' },
  });
  await kube.create('/api/v1/namespaces/argocd/configmaps', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'argocd-cmd-params-cm' },
    data: { 'controller.sync.wave.delay.seconds': '0' },
  });
  proxy = await startFaultProxy(cluster, decide, stored);
  await writeFile(join(folder, 'kubeconfig'), kubeconfig(proxy.server));
  view = viewApplications(kube);
  stops.push(
    kube.watch('/apis/batch/v1/jobs', (type, object) => {
      const one = played.get(object.metadata.namespace ?? '');
      const annotations = object.metadata['annotations'] as Record<string, string> | undefined;
      const run = annotations?.['argocd.argoproj.io/hook-run'];
      if (one === undefined || type === 'DELETED' || run === undefined) return;
      const id = `${object.metadata.name} ${run}`;
      one.hooks.set(id, (one.hooks.get(id) ?? new Set()).add(object.metadata.uid ?? ''));
    }),
  );
  operator = await start();
});

after(async () => {
  for (const stop of stops) stop();
  view?.stop();
  await operator?.stop();
  await proxy?.close();
  await kube?.close();
  await git?.close();
  await cluster?.stop();
  await rm(folder, { recursive: true, force: true });
});

function start(): Promise<OperatorProcess> {
  return startOperatorProcess({
    kubeconfigPath: join(folder, 'kubeconfig'),
    dataDirectory: join(folder, 'data'),
    logPath: join('.mooring', 'e2e', 'e2e-faults.log'),
  });
}

/** Kills the operator as a crash does, and starts another; several that ask for it at one time share it. */
function crash(): Promise<void> {
  starting ??= (async () => {
    await operator.kill();
    operator = await start();
  })().finally(() => {
    starting = undefined;
  });
  return starting;
}

function kubeconfig(server: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'faults',
    contexts: [{ name: 'faults', context: { cluster: 'faults', user: 'faults' } }],
    clusters: [{ name: 'faults', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'faults', user: {} }],
  });
}

/** The Application whose write this is: named by the path, or by its namespace or definition. */
function ownerOf({ path }: ProxiedWrite): Played | undefined {
  const place = path.split('?')[0] ?? '';
  if (/\/events(?:\/|$)/.test(place)) return undefined;
  const name =
    /\/applications\/([^/]+)$/.exec(place)?.[1] ??
    /\/customresourcedefinitions\/widgets\.([^/.]+)\./.exec(place)?.[1] ??
    /\/namespaces\/([^/]+)/.exec(place)?.[1] ??
    '';
  return played.get(name);
}

async function decide(write: ProxiedWrite): Promise<Fate> {
  const one = ownerOf(write);
  if (one === undefined) return { do: 'pass' };
  one.writes.push(`${write.method} ${write.path.split('?')[0]}`);
  const { point } = one;
  if (point === undefined || one.writes.length !== point.write) return { do: 'pass' };
  const { fate } = point.breakage;
  if (fate !== 'kill-before' && fate !== 'kill-after') return fate;
  if (fate === 'kill-after') return { do: 'lose-after' };
  void crash();
  return { do: 'lose-before' };
}

function stored(write: ProxiedWrite): void {
  const one = ownerOf(write);
  if (one?.point?.breakage.fate === 'kill-after' && one.writes.length === one.point.write) void crash();
}

const retry = { limit: 5, backoff: { duration: '1s', factor: 1, maxDuration: '1s' } };

/** Syncs two revisions of an Application of its own, one write of which is broken. */
async function play(app: string, point: Point | undefined): Promise<Outcome> {
  const one: Played = { app, writes: [], hooks: new Map(), point };
  played.set(app, one);
  const repository = await git.createRepository(app);
  const [first, second] = shop(app);
  const settles = async (files: Record<string, string | null>, what: string): Promise<string> => {
    const commit = await repository.commit({ files, message: what });
    if (what === 'first') {
      await kube.create(applicationsPath, {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'Application',
        metadata: { name: app, namespace: 'argocd', finalizers: ['resources-finalizer.argocd.argoproj.io'] },
        spec: {
          project: 'default',
          source: { repoURL: repository.url, path: '.', targetRevision: 'main' },
          destination: { server: 'https://kubernetes.default.svc', namespace: app },
          syncPolicy: { automated: { prune: true, selfHeal: true }, syncOptions: ['CreateNamespace=true'], retry },
        },
      });
    }
    await view.until(
      `${app} settles at its ${what} revision ${commit.slice(0, 7)}`,
      (apps) => isDone(apps.get(app), commit),
      patienceMs,
    );
    return commit;
  };
  const commits = [await settles(first.files, 'first'), await settles(second.files, 'second')];
  // The last writes may fail too, and what is still on its way arrives.
  await sleep(1_500);
  const last = commits.at(-1) ?? '';
  await view.until(`${app} is still settled`, (apps) => isDone(apps.get(app), last), patienceMs);
  const outcome = await outcomeOf(one, commits);
  await kube.remove(`${applicationsPath}/${app}`);
  await view.until(`${app} goes`, (apps) => !apps.has(app), patienceMs);
  const left = (await objectsOf(app)).map(({ kind, metadata }) => `${kind ?? ''} ${metadata.name}`);
  return { ...outcome, state: { ...outcome.state, left }, writes: one.writes };
}

async function objectsOf(app: string): Promise<AnyObject[]> {
  const lists = [
    `/api/v1/namespaces/${app}/configmaps`,
    `/apis/${groupOf(app)}/v1/namespaces/${app}/widgets`,
    `/apis/batch/v1/namespaces/${app}/jobs`,
  ];
  const found = (await Promise.all(lists.map((path) => kube.list(path)))).flat();
  return found.filter(({ metadata }) => metadata.name !== 'kube-root-ca.crt');
}

function isDone(app: Application | undefined, commit: string): boolean {
  const { sync, health, operationState } = app?.status ?? {};
  return (
    app?.operation === undefined &&
    app?.status?.conditions === undefined &&
    sync?.status === 'Synced' &&
    sync.revision === commit &&
    health?.status === 'Healthy' &&
    operationState?.phase === 'Succeeded' &&
    operationState.syncResult?.revision === commit
  );
}

/** What must be the same however it was come by: objects, owners of their fields, status and history. */
interface Outcome {
  readonly state: object;
  readonly hooks: readonly string[];
  readonly hooksTwice: readonly string[];
  readonly writes: readonly string[];
}

async function outcomeOf(one: Played, commits: readonly string[]): Promise<Outcome> {
  const { app } = one;
  const objects = await objectsOf(app);
  const found = view.get(app);
  const { status } = found ?? {};
  const state = {
    objects: objects.map((object) => plain(object, app)),
    application: {
      operation: found?.operation,
      conditions: status?.conditions,
      sync: status?.sync?.status,
      health: status?.health?.status,
      resources: status?.resources?.map((resource) => JSON.stringify(resource).replaceAll(app, 'APP')),
      history: status?.history?.map(({ revision = '' }) => commits.indexOf(revision)),
      phase: status?.operationState?.phase,
    },
  };
  const hooks = [...one.hooks.values()].flatMap((uids) => [...uids]);
  const hooksTwice = [...one.hooks].filter(([, uids]) => uids.size > 1).map(([id]) => id);
  return { state, hooks, hooksTwice, writes: one.writes };
}

function plain(object: AnyObject, app: string): unknown {
  const {
    name,
    annotations,
    managedFields = [],
  } = object.metadata as AnyObject['metadata'] & {
    annotations?: Record<string, string>;
    managedFields?: { manager: string; operation: string; fieldsV1: unknown; subresource?: string }[];
  };
  const isJob = object.kind === 'Job' || object['spec']?.template !== undefined;
  const text = JSON.stringify({
    name,
    // A Job's hook-run says when it ran.
    annotations: isJob ? Object.keys(annotations ?? {}).sort() : annotations,
    content: object['data'] ?? (isJob ? 'Job' : object['spec']),
    owners: managedFields
      .filter(({ manager, subresource }) => manager === 'argocd-controller' && subresource === undefined)
      .map(({ manager, operation, fieldsV1 }) => (isJob ? manager : { manager, operation, fieldsV1 })),
  });
  return JSON.parse(text.replaceAll(app, 'APP')) as unknown;
}

function pointsOf(writes: number): readonly Point[] {
  const all: Point[] = [];
  for (let write = 1; write <= writes; write += 1) for (const breakage of breakages) all.push({ breakage, write });
  return all;
}

function chosen(points: readonly Point[]): readonly Point[] {
  const wish: string = process.env['FAULTS'] ?? String(Math.floor(Date.now() / 86_400_000) % parts);
  if (wish === 'all') return points;
  if (/^\d+$/.test(wish)) return points.filter((_, index) => index % parts === Number(wish));
  const one = points.filter(({ breakage, write }) => `${breakage.name}:${write}` === wish);
  assert.ok(one.length > 0, `FAULTS=${wish}: give all, the number of a part, or a point such as kill-after:17`);
  return one;
}

describe('an Application whose writes fail', () => {
  test('ends as one without a fault, and runs no hook twice', async (context) => {
    const calm = await play('calm', undefined);
    assert.deepEqual(calm.hooksTwice, []);
    assert.equal(calm.hooks.length, 4, 'two hooks of two syncs');
    const points = chosen(pointsOf(calm.writes.length));
    context.diagnostic(
      `${calm.writes.length} writes, ${points.length} points of ${pointsOf(calm.writes.length).length}`,
    );
    const problems: string[] = [];
    // One iterator for all workers: each takes what is next.
    const turns = points.values();
    const worker = async (): Promise<void> => {
      for (const point of turns) {
        const { breakage, write } = point;
        const app = `faulty-${breakage.name}-${write}`;
        const at = `${breakage.name}:${write} (${calm.writes[write - 1]})`;
        try {
          const outcome = await play(app, point);
          assert.deepEqual(outcome.state, calm.state);
          assert.deepEqual(outcome.hooksTwice, []);
          if (breakage.isWhole) assert.equal(outcome.hooks.length, calm.hooks.length, 'hooks that ran');
        } catch (thrown) {
          problems.push(`${at}: ${(thrown as Error).message}`);
        }
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    assert.equal(problems.length, 0, `${problems.length} of ${points.length} points:\n${problems.join('\n')}`);
  });
});
