import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cluster, startCluster } from '../cluster/cluster.ts';
import { type Fate, type FaultProxy, type ProxiedWrite, startFaultProxy } from '../faults/fault-proxy.ts';
import type { GitRepository } from '../git-server/git-repository.ts';
import { type GitServer, startGitServer } from '../git-server/git-server.ts';
import { githubPush, sendWebhook } from '../git-server/webhook.ts';
import { type ApplicationView, installMooring, viewApplications } from '../harness/applications.ts';
import { type AnyObject, connectKube, type Kube } from '../harness/kube.ts';
import { type OperatorProcess, startOperatorProcess } from '../harness/operator-process.ts';

/** A write of one replica, as the API server answered it. */
export interface AnsweredWrite extends ProxiedWrite {
  readonly status: number;
  /** Milliseconds of `performance.now()`. */
  readonly at: number;
}

/** One operator of several, behind a proxy of its own. */
export interface Replica {
  readonly name: string;
  readonly process: OperatorProcess;
  readonly writes: AnsweredWrite[];
  /** What becomes of its writes; they pass. */
  decide: (write: ProxiedWrite) => Fate | Promise<Fate>;
  readonly proxy: FaultProxy;
  /** Waits until it has logged this, as it stands in the log. */
  logs(text: string): Promise<void>;
  /** Does something, and waits until it has logged this once more. */
  logsAgain(text: string, what: () => Promise<unknown>): Promise<void>;
}

/** When a replica was seen to hold the Lease; `''` where nobody did. */
export interface Hold {
  readonly holder: string;
  readonly at: number;
}

/** A cluster, a Git server, and operators that share a Lease. */
export interface Troupe {
  readonly cluster: Cluster;
  readonly kube: Kube;
  readonly git: GitServer;
  readonly view: ApplicationView;
  /** Every change of the Lease's holder, the latest last. */
  readonly holds: readonly Hold[];
  start(name: string): Promise<Replica>;
  /** Waits until this replica holds the Lease, for at most `ms`. */
  untilHolds(name: string, ms: number): Promise<Hold>;
  /** Commits to `main`, and tells this replica by webhook; answers the commit and what the webhook was answered. */
  push(
    repository: GitRepository,
    files: Record<string, string | null>,
    to: Replica,
  ): Promise<{ readonly commit: string; readonly at: number; readonly status: number }>;
  close(): Promise<void>;
}

/** Replicas show each other by it that what they hand on comes from a delivery. */
const webhookSecret = 'a-secret-of-the-git-host';
const leasePath = '/apis/coordination.k8s.io/v1/namespaces/argocd/leases';

export function isOfLease({ path }: ProxiedWrite): boolean {
  return path.startsWith('/apis/coordination.k8s.io/');
}

export async function startTroupe(name: string): Promise<Troupe> {
  const undo: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const folder = await mkdtemp(join(tmpdir(), 'mooring-leader-'));
    undo.push(() => rm(folder, { recursive: true, force: true }));
    const cluster = await startCluster({ name, node: 'none' });
    undo.push(() => cluster.stop());
    const git = await startGitServer();
    undo.push(() => git.close());
    const kube = await connectKube(cluster.kubeconfigPath);
    undo.push(() => kube.close());
    await installMooring(kube);
    const configMap = (of: string, data: Record<string, string>): object => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: of },
      data,
    });
    const path = '/api/v1/namespaces/argocd/configmaps';
    await kube.create(path, configMap('argocd-cmd-params-cm', { 'controller.sync.wave.delay.seconds': '0' }));
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'argocd-secret' } };
    const stringData = { 'webhook.github.secret': webhookSecret };
    await kube.create('/api/v1/namespaces/argocd/secrets', { ...secret, stringData });
    const view = viewApplications(kube);
    undo.push(() => view.stop());
    const holds: Hold[] = [];
    const waiting = new Set<() => void>();
    const seeHolder = (lease: AnyObject | undefined): void => {
      const holder = (lease?.['spec']?.holderIdentity as string | undefined) ?? '';
      if (holds.at(-1)?.holder === holder) return;
      holds.push({ holder, at: performance.now() });
      for (const check of waiting) check();
    };
    undo.push(kube.watch(leasePath, (type, object) => seeHolder(type === 'DELETED' ? undefined : object)));
    return {
      cluster,
      kube,
      git,
      view,
      holds,
      async start(of) {
        const writes: AnsweredWrite[] = [];
        const ways: Pick<Replica, 'decide'> = { decide: () => ({ do: 'pass' }) };
        const proxy = await startFaultProxy(
          cluster,
          (write) => ways.decide(write),
          (write, status) => {
            // Reviews of rights and dry runs are stored nowhere.
            const isQuestion = /^\/apis\/auth(?:entication|orization)\.k8s\.io\/|[?&]dryRun=All\b/.test(write.path);
            if (!isQuestion) writes.push({ ...write, status, at: performance.now() });
          },
        );
        undo.push(() => proxy.close());
        const kubeconfigPath = join(folder, `${of}.json`);
        await writeFile(kubeconfigPath, kubeconfig(proxy.server));
        const logPath = join('.mooring', 'e2e', `${name}-${of}.log`);
        await rm(logPath, { force: true });
        const times = async (text: string): Promise<number> => (await readFile(logPath, 'utf8')).split(text).length - 1;
        const process = startOperatorProcess({
          kubeconfigPath,
          dataDirectory: join(folder, of),
          logPath,
          args: ['--log-level', 'debug'],
          replica: of,
        });
        const replica: Replica = Object.assign(ways, {
          name: of,
          writes,
          proxy,
          process: await process,
          logs: (text: string) => until(`${of} logs ${text}`, async () => (await times(text)) > 0),
          async logsAgain(text: string, what: () => Promise<unknown>) {
            const before = await times(text);
            await what();
            await until(`${of} logs ${text} again`, async () => (await times(text)) > before);
          },
        });
        undo.push(async () => {
          if (!replica.process.isRunning()) return;
          replica.process.signal('SIGCONT');
          await replica.process.stop();
        });
        return replica;
      },
      async untilHolds(of, ms) {
        const isHolder = (): boolean => holds.at(-1)?.holder === of;
        if (!isHolder()) {
          await new Promise<void>((resolve, reject) => {
            const timer = setTimeout(() => {
              waiting.delete(check);
              reject(new Error(`${of} does not hold the Lease after ${ms} ms; it went: ${JSON.stringify(holds)}`));
            }, ms);
            const check = (): void => {
              if (!isHolder()) return;
              waiting.delete(check);
              clearTimeout(timer);
              resolve();
            };
            waiting.add(check);
          });
        }
        return holds.at(-1) as Hold;
      },
      async push(repository, files, to) {
        const before = await repository.resolve('main');
        const commit = await repository.commit({ files, message: 'change' });
        const changes = await repository.changes(before, commit);
        const delivery = githubPush({
          repoURL: repository.url,
          ref: 'refs/heads/main',
          before,
          after: commit,
          changes,
          secret: webhookSecret,
        });
        const at = performance.now();
        const { status } = await sendWebhook(`${to.process.url}/api/webhook`, delivery);
        return { commit, at, status };
      },
      close,
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

/** A server that takes what it is sent and never answers. */
export async function startDeafServer(): Promise<{
  readonly url: string;
  /** Settles with the first request. */
  readonly reached: Promise<void>;
  close(): Promise<void>;
}> {
  const reached = Promise.withResolvers<void>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    // Who gives up waiting breaks the connection.
    socket.on('error', () => {});
    socket.on('data', () => reached.resolve());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    reached: reached.promise,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Waits until something is so, for at most a minute. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 60_000; !(await isSo()); await sleep(20)) {
    if (performance.now() > end) throw new Error(`not so after a minute: ${what}`);
  }
}

/** A kubeconfig for a proxy without credentials. */
export function kubeconfig(server: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'proxy',
    contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'proxy' } }],
    clusters: [{ name: 'proxy', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'proxy', user: {} }],
  });
}

/** An Application whose destination is a namespace of its own name. */
export function applicationOf(name: string, repoURL: string, path = '.', namespace = 'argocd'): object {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace },
    spec: {
      project: 'default',
      source: { repoURL, path, targetRevision: 'main' },
      destination: { server: 'https://kubernetes.default.svc', namespace: name },
      syncPolicy: { automated: { prune: true, selfHeal: true }, syncOptions: ['CreateNamespace=true'] },
    },
  };
}

/** A ConfigMap of a wave, as JSON. */
export function partOf(name: string, value: string, wave = 0): string {
  const annotations = { 'argocd.argoproj.io/sync-wave': String(wave) };
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, annotations }, data: { value } });
}
