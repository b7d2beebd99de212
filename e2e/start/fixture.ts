import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cluster, startCluster } from '../cluster/cluster.ts';
import { type GitServer, startGitServer } from '../git-server/git-server.ts';
import { applicationsPath, isSettled } from '../harness/applications.ts';
import { type AnyObject, connectKube, type Kube } from '../harness/kube.ts';
import { type OperatorProcess, startOperatorProcess } from '../harness/operator-process.ts';
import { configMap } from '../harness/stage.ts';

/** A cluster with the namespace `argocd` and nothing of Mooring in it, and operators that are not waited for. */
export interface Bare {
  readonly cluster: Cluster;
  readonly kube: Kube;
  readonly git: GitServer;
  /** A folder for kubeconfigs and certificates. */
  readonly folder: string;
  /** Starts an operator and waits until it is alive. It is stopped at the end. */
  operate(kubeconfigPath: string): Promise<Watched>;
  /** Creates an Application of one ConfigMap, whose destination is a namespace of its own name where none is given. */
  application(name: string, files?: Record<string, string>, namespace?: string): Promise<void>;
  /** Waits until the Application is Synced and Healthy. */
  settles(name: string): Promise<void>;
  /** Waits until the Application has a condition of this type whose message matches. */
  condition(name: string, type: string, message: RegExp): Promise<void>;
  /** Reasons and objects of the warnings in the namespace `argocd`, such as `CRDsMissing Namespace/argocd`. */
  warnings(): Promise<string[]>;
  close(): Promise<void>;
}

/** An operator, and what it says of itself. */
export interface Watched extends OperatorProcess {
  /** Waits until `/readyz` has this status, or any where it is undefined, and a body that matches. */
  says(status: number | undefined, body: RegExp): Promise<void>;
  /** Messages of the log lines with this reason, in order. */
  told(reason: string): Promise<string[]>;
}

const patienceMs = 45_000;

/** Waits until something is so. Fails, saying what for and what was seen last, after 45 s. */
export async function until(what: string, isSo: () => Promise<boolean>, seen = (): string => ''): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`not so after ${patienceMs} ms: ${what}; seen last: ${seen()}`);
    await sleep(25);
  }
}

export async function startBare(name: string): Promise<Bare> {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-start-'));
  const undo: (() => unknown)[] = [() => rm(folder, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const cluster = await startCluster({ name, node: 'none' });
    undo.push(() => cluster.stop());
    const git = await startGitServer();
    undo.push(() => git.close());
    const kube = await connectKube(cluster.kubeconfigPath);
    undo.push(() => kube.close());
    await kube.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'argocd' } });

    const operate = async (kubeconfigPath: string): Promise<Watched> => {
      const logPath = join('.mooring', 'e2e', `${name}.log`);
      await rm(logPath, { force: true });
      const dataDirectory = join(folder, 'operator');
      const operator = await startOperatorProcess({ kubeconfigPath, dataDirectory, logPath, until: '/livez' });
      undo.push(async () => {
        if (operator.isRunning()) await operator.stop();
      });
      return {
        ...operator,
        async says(status, body) {
          let seen = '';
          const isSo = async (): Promise<boolean> => {
            const answer = await fetch(`${operator.url}/readyz`);
            const text = await answer.text();
            seen = `${answer.status} ${text}`;
            return (status === undefined || answer.status === status) && body.test(text);
          };
          await until(`/readyz says ${status} ${body}`, isSo, () => seen);
        },
        async told(reason) {
          const lines = (await readFile(logPath, 'utf8')).trimEnd().split('\n');
          const parsed = lines.map((line) => JSON.parse(line) as { readonly reason?: string; readonly msg: string });
          return parsed.filter((line) => line.reason === reason).map(({ msg }) => msg);
        },
      };
    };
    const untilApp = async (app: string, what: string, isSo: (found: AnyObject) => boolean): Promise<void> => {
      let found: AnyObject | undefined;
      await until(
        `${app} ${what}`,
        async () => {
          found = await kube.find(`${applicationsPath}/${app}`);
          return found !== undefined && isSo(found);
        },
        () => JSON.stringify(found?.['status'] ?? {}),
      );
    };
    return {
      cluster,
      kube,
      git,
      folder,
      operate,
      async application(app, files = { 'a.yaml': configMap('a', { value: '1' }) }, namespace = app) {
        const repository = await git.createRepository(app);
        await repository.commit({ files, message: 'first' });
        await kube.create(applicationsPath, {
          apiVersion: 'argoproj.io/v1alpha1',
          kind: 'Application',
          metadata: { name: app, namespace: 'argocd' },
          spec: {
            project: 'default',
            source: { repoURL: repository.url, path: '.', targetRevision: 'main' },
            destination: { server: 'https://kubernetes.default.svc', namespace },
            syncPolicy: { automated: { prune: true, selfHeal: true }, syncOptions: ['CreateNamespace=true'] },
          },
        });
      },
      settles: (app) => untilApp(app, 'settles', (found) => isSettled(found as never)),
      condition: (app, type, message) =>
        untilApp(app, `gets ${type} that says ${message}`, ({ status }) =>
          (status?.conditions ?? []).some(
            (one: { readonly type: string; readonly message: string }) =>
              one.type === type && message.test(one.message),
          ),
        ),
      async warnings() {
        const events = await kube.list('/api/v1/namespaces/argocd/events');
        return events
          .filter((event) => event['type'] === 'Warning')
          .map(({ reason, involvedObject }) => `${reason} ${involvedObject.kind}/${involvedObject.name}`);
      },
      close,
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

/** Writes a kubeconfig into the folder, and answers its path. `fields` are those of its user. */
export async function writeKubeconfig(
  { cluster, folder }: Pick<Bare, 'cluster' | 'folder'>,
  name: string,
  user: Readonly<Record<string, string>>,
  authority: Readonly<Record<string, string>> = { 'certificate-authority-data': cluster.caData },
): Promise<string> {
  const path = join(folder, `${name}.kubeconfig`);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: cluster.server, ...authority } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'one', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'one',
  };
  await writeFile(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}
