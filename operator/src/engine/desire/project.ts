import type { AppProject } from '@mooring/crds';
import { globMatches, pathMatches } from '../../model/glob.ts';
import type { ResourceKey } from '../../model/resource-key.ts';

/** A place that objects are deployed to. */
export interface Destination {
  /** Address of the cluster. */
  readonly server?: string;
  /** Name of the cluster; that of the operator's own cluster is known without it. */
  readonly name?: string;
  /** `''` or absent where the Application names none. */
  readonly namespace?: string;
  /** Project that the cluster's Secret belongs to; only asked for where the project permits nothing but its own clusters. */
  readonly project?: string;
}

const ownCluster = { server: 'https://kubernetes.default.svc', name: 'in-cluster' } as const;

/**
 * Whether a project permits a repository: some pattern of `sourceRepos` matches its URL, and no `!` pattern does. URLs are compared without
 * case, `.git` at the end, and the way ssh is spelled; `*` doesn't match `/`.
 */
export function sourcePermitted(project: AppProject, url: string): boolean {
  const wanted = comparableUrl(url);
  let permitted = false;
  for (const pattern of project.spec.sourceRepos ?? []) {
    const matches = (glob: string) => glob === '*' || globMatches(comparableUrl(glob), wanted, '/');
    if (!pattern.startsWith('!')) permitted ||= matches(pattern);
    else if (matches(pattern.slice(1))) return false;
    else permitted = true;
  }
  return permitted;
}

/** `git@host:shop/deploy.git` and `ssh://git@host/shop/deploy` are the same repository. */
function comparableUrl(url: string): string {
  let text = url.trim().toLowerCase();
  if (/^[^/:]*@[^@]+$/.test(text)) text = text.replace(':', '/');
  if (text.startsWith('ssh://')) text = text.slice('ssh://'.length);
  return text.endsWith('.git') ? text.slice(0, -'.git'.length) : text;
}

/**
 * Whether a project permits a destination: some entry of `destinations` matches its cluster, by address or by name, and its namespace, and none
 * denies it by `!`. `*` matches everything, `/` too.
 */
export function destinationPermitted(project: AppProject, destination: Destination): boolean {
  const { permitOnlyProjectScopedClusters, destinations } = project.spec;
  if (permitOnlyProjectScopedClusters === true && destination.project !== project.metadata.name) return false;
  const place = named(destination);
  let permitted = false;
  for (const entry of destinations ?? []) {
    const server = place.server !== '' && patternAccepts(entry.server, place.server);
    const name = place.name !== '' && patternAccepts(entry.name, place.name);
    const namespace = patternAccepts(entry.namespace, place.namespace);
    if ((server || name) && namespace) permitted = true;
    else if (isDenial(entry.name) && !name) return false;
    else if (isDenial(entry.server) && !server && namespace) return false;
    else if (isDenial(entry.namespace) && !namespace && server) return false;
  }
  return permitted;
}

/** A destination with both of its cluster's names, where they are known. */
function named({ server = '', name = '', namespace = '' }: Destination): Required<Omit<Destination, 'project'>> {
  if (server === ownCluster.server) return { server, name: name || ownCluster.name, namespace };
  if (name === ownCluster.name) return { server: server || ownCluster.server, name, namespace };
  return { server, name, namespace };
}

function isDenial(pattern: string | undefined): boolean {
  return pattern?.startsWith('!') === true;
}

function patternAccepts(pattern: string | undefined, text: string): boolean {
  const glob = pattern ?? '';
  return glob.startsWith('!') ? !globMatches(glob.slice(1), text) : globMatches(glob, text);
}

/**
 * Whether a project permits a kind. Cluster-scoped ones must be in `clusterResourceWhitelist`, with a name that it allows; namespaced ones are
 * permitted unless there is a `namespaceResourceWhitelist` without them. A blacklist wins.
 */
export function kindPermitted(project: AppProject, key: ResourceKey, scope: 'Namespaced' | 'Cluster'): boolean {
  const { spec } = project;
  const matches = (rule: { readonly group: string; readonly kind: string; readonly name?: string }) =>
    pathMatches(rule.kind, key.kind) &&
    pathMatches(rule.group, key.group) &&
    (rule.name === undefined || rule.name === '' || pathMatches(rule.name, key.name));
  if (scope === 'Namespaced') {
    const { namespaceResourceWhitelist: allowed, namespaceResourceBlacklist: denied } = spec;
    return (allowed === undefined || allowed.some(matches)) && denied?.some(matches) !== true;
  }
  const { clusterResourceWhitelist: allowed, clusterResourceBlacklist: denied } = spec;
  return allowed?.some(matches) === true && denied?.some(matches) !== true;
}

/** Why a project forbids one object, in Argo CD's words and with what to do; undefined where it is permitted. */
export function forbiddenBy(
  project: AppProject,
  key: ResourceKey,
  scope: 'Namespaced' | 'Cluster',
  destination: Destination,
): string | undefined {
  const name = project.metadata.name ?? '';
  if (!kindPermitted(project, key, scope)) {
    const list = scope === 'Cluster' ? 'clusterResourceWhitelist' : 'namespaceResourceWhitelist';
    const blacklist = scope === 'Cluster' ? 'clusterResourceBlacklist' : 'namespaceResourceBlacklist';
    return `resource ${key.group}:${key.kind} is not permitted in project ${name}; see ${list} and ${blacklist} of the AppProject, or remove ${key.kind} ${key.name} from the source`;
  }
  if (scope === 'Cluster' || destinationPermitted(project, { ...destination, namespace: key.namespace }))
    return undefined;
  return `namespace ${key.namespace} is not permitted in project '${name}'; add it to destinations of the AppProject, or change metadata.namespace of ${key.kind} ${key.name}`;
}
