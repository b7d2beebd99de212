import type { AppProject } from '@mooring/crds';
import { globMatches, pathMatches, pathMatchesFrom } from '../../model/glob.ts';
import type { Claim } from '../../model/guard.ts';
import { ownName, ownServer } from '../../model/own-cluster.ts';
import { matchesPattern } from '../../model/repository-pattern.ts';
import { findRepositoryAddress } from '../../model/repository-url.ts';

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

/**
 * Whether a project permits a repository: some pattern of `sourceRepos` matches its address, and no `!` pattern does, whatever user of SSH asks. Addresses are
 * compared as `RepositoryAddress` says; what is no address is not permitted.
 */
export function sourcePermitted(project: AppProject, url: string): boolean {
  const address = findRepositoryAddress(url);
  if (address === undefined) return false;
  let permitted = false;
  for (const pattern of project.spec.sourceRepos ?? []) {
    if (!pattern.startsWith('!')) permitted ||= matchesPattern(pattern, address, 'key');
    else if ((['key', 'place'] as const).some((scope) => matchesPattern(pattern.slice(1), address, scope)))
      return false;
    else permitted = true;
  }
  return permitted;
}

/**
 * Whether a project permits a destination: some entry of `destinations` matches its cluster, by address or by name, and its namespace, and none
 * denies it by `!`. `*` matches everything, `/` too.
 */
export function destinationPermitted(project: AppProject, destination: Destination): boolean {
  const { permitOnlyProjectScopedClusters, destinations } = project.spec;
  if (permitOnlyProjectScopedClusters === true && destination.project !== project.metadata.name) return false;
  const place = withBothNames(destination);
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
function withBothNames({
  server = '',
  name = '',
  namespace = '',
}: Destination): Required<Omit<Destination, 'project'>> {
  if (server === ownServer) return { server, name: name || ownName, namespace };
  if (name === ownName) return { server: server || ownServer, name, namespace };
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
 * permitted unless there is a `namespaceResourceWhitelist` without them. A blacklist wins. Of a name that is yet to be made nothing may be on the blacklist,
 * and everything must be on the whitelist.
 */
function kindPermitted({ spec }: AppProject, claim: Claim): boolean {
  const all = (rule: Rule): boolean => named(rule, claim) === 'all';
  const any = (rule: Rule): boolean => named(rule, claim) !== 'none';
  if (claim.scope === 'Namespaced') {
    const { namespaceResourceWhitelist: allowed, namespaceResourceBlacklist: denied } = spec;
    return (allowed === undefined || allowed.some(all)) && denied?.some(any) !== true;
  }
  const { clusterResourceWhitelist: allowed, clusterResourceBlacklist: denied } = spec;
  return allowed?.some(all) === true && denied?.some(any) !== true;
}

interface Rule {
  readonly group: string;
  readonly kind: string;
  readonly name?: string;
}

/** How much of what is claimed a rule names. */
function named(rule: Rule, { key, generateName }: Claim): 'all' | 'some' | 'none' {
  if (!pathMatches(rule.kind, key.kind) || !pathMatches(rule.group, key.group)) return 'none';
  if (rule.name === undefined || rule.name === '') return 'all';
  if (key.name === '') return pathMatchesFrom(rule.name, generateName ?? '');
  return pathMatches(rule.name, key.name) ? 'all' : 'none';
}

/**
 * Why an Application may not have an object, in Argo CD's words and with what to do; undefined where it may. The one place that this is decided in, for what is
 * rendered, written, pruned and deleted. `destination` is the Application's own: the objects of a namespace must be where the project permits that namespace,
 * and those of a cluster where it permits the Application itself to be.
 */
export function forbiddenBy(project: AppProject, claim: Claim, destination: Destination): string | undefined {
  const name = project.metadata.name ?? '';
  const { key, scope, generateName = '' } = claim;
  const object = `${key.kind} ${key.name || `${generateName}…`}`;
  if (!kindPermitted(project, claim)) {
    const list = scope === 'Cluster' ? 'clusterResourceWhitelist' : 'namespaceResourceWhitelist';
    const blacklist = scope === 'Cluster' ? 'clusterResourceBlacklist' : 'namespaceResourceBlacklist';
    return `resource ${key.group}:${key.kind} is not permitted in project ${name}; see ${list} and ${blacklist} of the AppProject, or remove ${object} from the source`;
  }
  const namespace = scope === 'Cluster' ? destination.namespace : key.namespace;
  if (destinationPermitted(project, { ...destination, ...(namespace !== undefined && { namespace }) }))
    return undefined;
  if (scope === 'Namespaced')
    return `namespace ${key.namespace} is not permitted in project '${name}'; add it to destinations of the AppProject, or change metadata.namespace of ${object}`;
  const place = `server '${destination.server ?? destination.name ?? ''}' and namespace '${namespace ?? ''}'`;
  return `destination ${place}, which ${object} is for, is not permitted in project '${name}'; add it to destinations of the AppProject`;
}
