import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Application, AppProject } from '@mooring/crds';
import { createGit, everyTransport } from '@mooring/operator/adapters/git/git.ts';
import { everyHost } from '@mooring/operator/adapters/git/network.ts';
import { createClient } from '@mooring/operator/adapters/kube/client.ts';
import { createClusters } from '@mooring/operator/adapters/kube/clusters.ts';
import { fromKubeconfig } from '@mooring/operator/adapters/kube/connect.ts';
import type { KindChoice } from '@mooring/operator/adapters/kube/watched-kinds.ts';
import { createRenderPool } from '@mooring/operator/adapters/render/render-pool.ts';
import { createStore } from '@mooring/operator/adapters/store/store.ts';
import { createLog } from '@mooring/operator/adapters/telemetry/log.ts';
import { systemClock, systemRandom } from '@mooring/operator/adapters/time/system.ts';
import { admit, guardOf } from '@mooring/operator/controllers/application/admit.ts';
import { compare } from '@mooring/operator/controllers/application/compare.ts';
import { createdNamespace, namespaceOf } from '@mooring/operator/controllers/application/namespace.ts';
import { renderRequest } from '@mooring/operator/controllers/application/request.ts';
import { desire } from '@mooring/operator/engine/desire/desire.ts';
import { ignoreProblems } from '@mooring/operator/engine/diff/ignore.ts';
import { hasHealthRule, healthOf } from '@mooring/operator/engine/health/health.ts';
import type { Change } from '@mooring/operator/model/change.ts';
import { isExcludedKind } from '@mooring/operator/model/kind-filter.ts';
import { operatorLimits } from '@mooring/operator/model/limits.ts';
import { keyText } from '@mooring/operator/model/resource-key.ts';
import { trackingName } from '@mooring/operator/model/tracking.ts';
import { defaultRenderers } from '@mooring/operator/renderers.ts';
import type { Cluster } from '@mooring/operator/world/cluster.ts';
import type { RepositoryAccess } from '@mooring/operator/world/git.ts';
import type { Report } from '@mooring/operator/world/readiness.ts';
import type { RenderAnswer } from '@mooring/operator/world/renderer.ts';
import type { Store } from '@mooring/operator/world/store.ts';
import type { KubeObject, Limits } from '@mooring/renderer-contract';
import { gitSourceOf } from './application.ts';
import { type Checkout, locate } from './checkout.ts';
import { Failure } from './failure.ts';
import { type RendererSettings, renderLocal } from './local.ts';
import { withProgress } from './progress.ts';

/** Which Application, where it is, and what its source is. */
export interface InspectChoice {
  readonly app: string;
  /** Namespace of the Application, its project and its Secrets. */
  readonly namespace: string;
  /** Where absent: `KUBECONFIG`, else `~/.kube/config`. */
  readonly kubeconfig?: string;
  readonly context?: string;
  /** Instead of `spec.source.targetRevision`. */
  readonly revision?: string;
  /** A checkout of the repository, to be rendered instead of what is in Git. */
  readonly local?: string;
  /** Bounds of the render. */
  readonly limits: Partial<Limits>;
}

/** One change, and the object that is in the cluster now, where there is one. */
export interface Inspected {
  readonly change: Change;
  readonly live: KubeObject | undefined;
}

/** What the operator would see in a reconcile. */
export interface Inspection {
  readonly app: Application;
  readonly changes: readonly Inspected[];
  /** For people: of the renderer, of rules in `ignoreDifferences` that ignore nothing, and of what the project forbids. */
  readonly warnings: readonly string[];
}

/** Sees an Application as the operator does in a reconcile, up to the changes that a sync would make; writes nothing. Throws `Fault` and `Failure`. */
export async function inspect(choice: InspectChoice): Promise<Inspection> {
  await using open = new AsyncDisposableStack();
  const context = { clock: systemClock, random: systemRandom, limits: operatorLimits, log: createLog('silent') };
  const connection = await fromKubeconfig({
    ...(choice.kubeconfig !== undefined && { path: choice.kubeconfig }),
    ...(choice.context !== undefined && { context: choice.context }),
  });
  const client = open.adopt(createClient(connection, context), (one) => one.close());
  const obstacle = Promise.withResolvers<never>();
  const report: Report = (check, [problem]) => {
    // Bad settings have defaults instead.
    if (check !== 'settings' && problem !== undefined) obstacle.reject(new Failure(problem.message));
  };
  const { namespace } = choice;
  const {
    store: stored,
    clusters: secrets,
    ready,
  } = open.adopt(createStore(client, { ...context, namespace, purpose: 'inspect', report }), (one) => one.close());
  await withProgress(`reading Applications from ${connection.server}`, () => Promise.race([ready, obstacle.promise]));
  const store = withDefaultProject(stored);
  const respectRbac = () => store.settings().respectRbac;
  const isExcluded = (group: string, kind: string, server: string) =>
    isExcludedKind(store.settings().kinds, group, kind, server);
  const kinds: KindChoice = { isExcluded, subscribe: () => () => {} };
  const clusters = open.adopt(
    createClusters(connection, secrets, { ...context, healthOf, hasHealthRule, respectRbac, kinds }),
    (one) => one.close(),
  );
  const app = applicationOf(store, choice);
  const source = gitSourceOf(app);
  const { project, cluster: place } = admit(app, source, { store, clusters });
  const cluster = await withProgress(`looking at ${place.server}`, () => clusters.open(place.server));
  const access = store.repository(source.repoURL, project.metadata.name ?? '');
  const settings = store.settings().renderers;
  const rendered =
    choice.local === undefined
      ? await renderFromGit(app, access, cluster, choice.limits, settings)
      : await renderFromDisk(app, await locate(choice.local), cluster, choice.limits, settings);
  const tracking = trackingName(app, store.namespace);
  const guard = guardOf(app, place, { store });
  const syncOptions = app.spec.syncPolicy?.syncOptions ?? [];
  const desired = desire(rendered.manifests, {
    appName: tracking,
    destinationNamespace: app.spec.destination.namespace ?? '',
    guard,
    syncOptions,
    scopeOf: (group, kind) => cluster.scopeOf(group, kind),
    isExcluded: (group, kind) => isExcluded(group, kind, place.server),
  });
  return await withProgress('comparing', async () => {
    const compared = await compare(app, desired, cluster, {
      tracking,
      guard,
      revisionChanged: true,
      thorough: 'no',
      namespace: () => namespaceOf(app, desired, cluster, { syncOptions, tracking, guard }),
      kept: createdNamespace(app, syncOptions),
      ignoreDifferences: [
        ...(app.spec.ignoreDifferences ?? []),
        ...store.settings().customizations.flatMap(({ rule }) => rule ?? []),
      ],
      asks: 'each',
    });
    const forbidden = desired.objects.flatMap((object) => object.forbidden ?? []);
    return {
      app,
      changes: await Promise.all(
        compared.changes.changes.map(async (change) => ({
          change,
          live:
            change.action === 'prune' ? await cluster.get(change.key) : compared.live.objects.get(keyText(change.key)),
        })),
      ),
      warnings: [
        ...rendered.warnings,
        ...[...desired.warnings, ...compared.shared].map(({ message }) => message),
        ...ignoreProblems(app.spec.ignoreDifferences ?? []),
        ...forbidden,
        ...(compared.namespace?.isOutdated ? [outdatedNamespace(compared.namespace.desired.key.name)] : []),
      ],
    };
  });
}

function outdatedNamespace(name: string): string {
  return `the Namespace ${name}, which CreateNamespace=true looks after, is not as a sync would leave it`;
}

/** The project `default` that an operator creates where there is none: it allows everything. */
const defaultProject: AppProject = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'AppProject',
  metadata: { name: 'default' },
  spec: {
    sourceRepos: ['*'],
    destinations: [{ server: '*', namespace: '*' }],
    clusterResourceWhitelist: [{ group: '*', kind: '*' }],
  },
};

function withDefaultProject(store: Store): Store {
  return {
    ...store,
    project: (name) => store.project(name) ?? (name === 'default' ? defaultProject : undefined),
  };
}

function applicationOf(store: Store, { app: name, namespace, revision }: InspectChoice): Application {
  const app = store.application({ namespace, name });
  if (app === undefined) {
    const names = store.applications().map(({ metadata }) => metadata.name);
    const there = names.length === 0 ? 'there are none' : `there are ${names.sort().join(', ')}`;
    throw new Failure(`there is no Application ${name} in the namespace ${namespace}; ${there}`);
  }
  // An operation under way may be on another revision; a diff is about what the spec asks for.
  const { operation: _, ...rest } = app;
  const source = { ...gitSourceOf(app), ...(revision !== undefined && { targetRevision: revision }) };
  const { sources: __, ...spec } = app.spec;
  return { ...rest, spec: { ...spec, source } };
}

function renderFromDisk(
  app: Application,
  checkout: Checkout,
  cluster: Cluster,
  limits: Partial<Limits>,
  settings: RendererSettings,
): Promise<RenderAnswer> {
  return withProgress(`rendering ${app.spec.source?.path || checkout.root}`, () =>
    renderLocal(app, checkout, cluster, { limits, settings }),
  );
}

async function renderFromGit(
  app: Application,
  access: RepositoryAccess,
  cluster: Cluster,
  limits: Partial<Limits>,
  settings: RendererSettings,
): Promise<RenderAnswer> {
  await using open = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'mooring-diff-'));
  open.defer(() => rm(directory, { recursive: true, force: true }));
  const source = gitSourceOf(app);
  const log = createLog('silent');
  // Whoever runs this asks with their own rights, on their own machine, and it may be the Git server's, too.
  const reach = { transports: everyTransport, network: everyHost };
  const git = open.adopt(createGit({ directory, clock: systemClock, limits: operatorLimits, log, ...reach }), (one) =>
    one.close(),
  );
  const { revision, tree } = await withProgress(`fetching ${source.repoURL}`, async () => {
    const revision = await git.resolve(access, source.targetRevision || 'HEAD', 0);
    return { revision, tree: await git.open(access, revision) };
  });
  const pool = open.adopt(
    createRenderPool({ renderers: defaultRenderers(), clock: systemClock, limits, settings: () => settings }),
    (one) => one.close(),
  );
  const request = renderRequest(app, source, revision, cluster);
  return await withProgress(`rendering ${request.path}`, () => pool.render(tree, request, { fresh: true }));
}
