import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Application, ApplicationSpec } from '@mooring/crds';
import { type Cluster, type NodeKind, startCluster } from '../cluster/cluster.ts';
import type { GitRepository } from '../git-server/git-repository.ts';
import { type GitServer, startGitServer } from '../git-server/git-server.ts';
import { githubPush, sendWebhook } from '../git-server/webhook.ts';
import { type ApplicationView, applicationsPath, installMooring, isSettled, viewApplications } from './applications.ts';
import { connectKube, type Kube } from './kube.ts';
import { type OperatorProcess, startOperatorProcess } from './operator-process.ts';

/** One cluster, one Git server and one operator, for the scenarios of one file. */
export interface Stage {
  readonly cluster: Cluster;
  readonly kube: Kube;
  readonly git: GitServer;
  readonly view: ApplicationView;
  readonly operator: OperatorProcess;
  /** Stops the operator, or kills it as a crash does, and starts another, told the same unless there is something else to tell. */
  restartOperator(how: 'stop' | 'kill', settings?: OperatorSettings): Promise<void>;
  /** A repository with these files on `main`. */
  repository(name: string, files: Record<string, string>): Promise<GitRepository>;
  /** Commits to `main` and tells the operator by webhook, with these headers besides the host's. Answers the commit. */
  push(
    repository: GitRepository,
    files: Record<string, string | null>,
    headers?: Record<string, string>,
  ): Promise<string>;
  /** Creates an Application in `argocd` whose destination is a namespace of its own name. */
  application(name: string, repository: GitRepository, spec?: Partial<ApplicationSpec>): Promise<Application>;
  /** Waits, for at most a minute, until the test holds for the Application, and answers it. */
  until(name: string, what: string, test: (app: Application) => boolean): Promise<Application>;
  /** Waits until the Application is settled (see `isSettled`). */
  settles(name: string, revision?: string): Promise<Application>;
  /** Stops and removes everything. Throws where a bug ended a reconcile of the operator. */
  close(): Promise<void>;
  /** Every line that the operators of this stage have logged. */
  log(): Promise<Record<string, unknown>[]>;
}

export interface StageOptions {
  readonly name: string;
  readonly node: NodeKind;
  readonly env?: Readonly<Record<string, string>>;
}

/** What one start of the operator is told. */
export interface OperatorSettings {
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

/** Milliseconds that a scenario waits for something to come about. */
export const patienceMs = 60_000;

export const ownServer = 'https://kubernetes.default.svc';

export async function startStage(options: StageOptions): Promise<Stage> {
  const data = await mkdtemp(join(tmpdir(), 'mooring-e2e-'));
  const undo: (() => unknown)[] = [() => rm(data, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    const problems: unknown[] = [];
    for (const step of undo.splice(0).reverse()) {
      try {
        await step();
      } catch (thrown) {
        problems.push(thrown);
      }
    }
    if (problems.length > 0) throw problems[0];
  };
  try {
    const cluster = await startCluster({ name: options.name, node: options.node });
    undo.push(() => cluster.stop());
    const git = await startGitServer();
    undo.push(() => git.close());
    const kube = await connectKube(cluster.kubeconfigPath);
    undo.push(() => kube.close());
    await installMooring(kube);
    const logPath = join('.mooring', 'e2e', `${options.name}.log`);
    await rm(logPath, { force: true });
    const start = ({ env = options.env, args = [] }: OperatorSettings = {}): Promise<OperatorProcess> =>
      startOperatorProcess({
        kubeconfigPath: cluster.kubeconfigPath,
        dataDirectory: join(data, 'operator'),
        logPath,
        args,
        ...(env && { env }),
      });
    let operator = await start();
    undo.push(async () => {
      // A scenario may have stopped it.
      if (!operator.isRunning()) return;
      const crashes = /^mooring_reconcile_crashes_total (\d+)$/m.exec(await operator.metrics())?.[1];
      await operator.stop();
      if (crashes !== '0') throw new Error(`a bug ended ${crashes} reconciles; see ${logPath}`);
    });
    const view = viewApplications(kube);
    undo.push(() => view.stop());
    const until: Stage['until'] = async (name, what, test) => {
      const isSo = (app: Application | undefined): boolean => app !== undefined && test(app);
      await view.until(`${name} ${what}`, (apps) => isSo(apps.get(name)), patienceMs);
      return view.get(name) as Application;
    };
    return {
      cluster,
      kube,
      git,
      view,
      get operator() {
        return operator;
      },
      async restartOperator(how, settings) {
        await operator[how]();
        operator = await start(settings);
      },
      async repository(name, files) {
        const repository = await git.createRepository(name);
        await repository.commit({ files, message: 'first' });
        return repository;
      },
      async push(repository, files, headers = {}) {
        const before = await repository.resolve('main');
        const after = await repository.commit({ files, message: 'change' });
        const changes = await repository.changes(before, after);
        const delivery = githubPush({ repoURL: repository.url, ref: 'refs/heads/main', before, after, changes });
        const { body } = delivery;
        await sendWebhook(`${operator.url}/api/webhook`, { body, headers: { ...delivery.headers, ...headers } });
        return after;
      },
      async application(name, repository, spec = {}) {
        const app = {
          apiVersion: 'argoproj.io/v1alpha1',
          kind: 'Application',
          metadata: { name, namespace: 'argocd' },
          spec: {
            project: 'default',
            source: { repoURL: repository.url, path: '.', targetRevision: 'main' },
            destination: { server: ownServer, namespace: name },
            syncPolicy: { automated: { prune: true, selfHeal: true }, syncOptions: ['CreateNamespace=true'] },
            ...spec,
          },
        };
        return (await kube.create(applicationsPath, app)) as unknown as Application;
      },
      until,
      settles: (name, revision) => until(name, 'settles', (app) => isSettled(app, revision)),
      async log() {
        const lines = (await readFile(logPath, 'utf8')).trimEnd().split('\n');
        return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
      },
      close,
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

/** A ConfigMap as YAML. */
export function configMap(
  name: string,
  data: Record<string, string>,
  annotations: Record<string, string> = {},
): string {
  const metadata = { name, ...(Object.keys(annotations).length > 0 && { annotations }) };
  return `${JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data })}\n`;
}

/** Path of a ConfigMap, or of all of a namespace. */
export function configMapPath(namespace: string, name?: string): string {
  return `/api/v1/namespaces/${namespace}/configmaps${name === undefined ? '' : `/${name}`}`;
}
