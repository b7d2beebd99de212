import { Fault } from '../../model/fault.ts';
import type { KubeClient } from './client.ts';
import { plainGet } from './request.ts';
import type { ServedKind } from './served-kind.ts';

/** Everything that an API server serves. */
export interface ServedKinds {
  /** Such as `1.37.2`. */
  readonly version: string;
  /** `apps/v1`, `apps/v1/Deployment`, …, sorted. */
  readonly apiVersions: readonly string[];
  /** Each kind in the version that the server prefers. */
  readonly preferred: readonly ServedKind[];
  /** The preferred version of a kind. */
  kind(group: string, kind: string): ServedKind | undefined;
  /** A kind in exactly this version. */
  inVersion(apiVersion: string, kind: string): ServedKind | undefined;
  /** Whether a group has a kind with this plural. */
  hasPlural(group: string, plural: string): boolean;
}

interface GroupDiscoveryList {
  readonly kind?: string;
  readonly items?: readonly {
    readonly metadata?: { readonly name?: string };
    readonly versions?: readonly {
      readonly version: string;
      readonly resources?: readonly {
        readonly resource: string;
        readonly responseKind?: { readonly kind?: string };
        readonly scope?: string;
        readonly verbs?: readonly string[];
      }[];
    }[];
  }[];
}

interface ResourceList {
  readonly resources?: readonly {
    readonly name: string;
    readonly namespaced: boolean;
    readonly kind: string;
    readonly verbs?: readonly string[];
  }[];
}

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';

/** Asks an API server what it serves: three requests, or one more for each group and version where it cannot answer them together. Throws `Fault`. */
export async function discover(client: KubeClient): Promise<ServedKinds> {
  const [version, core, groups] = await Promise.all([
    client.send(plainGet('/version')) as Promise<{ readonly gitVersion?: string }>,
    discoverRoot(client, '/api'),
    discoverRoot(client, '/apis'),
  ]);
  return servedKinds((version.gitVersion ?? '').replace(/^v/, ''), [...core, ...groups]);
}

/** Looks kinds up in what was discovered, the preferred version of each group first. */
export function servedKinds(version: string, kinds: readonly ServedKind[]): ServedKinds {
  const exact = new Map<string, ServedKind>();
  const preferred = new Map<string, ServedKind>();
  const plurals = new Set<string>();
  const apiVersions = new Set<string>();
  for (const served of kinds) {
    const apiVersion = served.group === '' ? served.version : `${served.group}/${served.version}`;
    apiVersions.add(apiVersion);
    apiVersions.add(`${apiVersion}/${served.kind}`);
    plurals.add(`${served.group}/${served.plural}`);
    const name = `${served.group}/${served.kind}`;
    if (!exact.has(`${apiVersion}/${served.kind}`)) exact.set(`${apiVersion}/${served.kind}`, served);
    if (!preferred.has(name)) preferred.set(name, served);
  }
  return {
    version,
    apiVersions: [...apiVersions].sort(),
    preferred: [...preferred.values()],
    kind: (group, kind) => preferred.get(`${group}/${kind}`),
    inVersion: (apiVersion, kind) => exact.get(`${apiVersion}/${kind}`),
    hasPlural: (group, plural) => plurals.has(`${group}/${plural}`),
  };
}

async function discoverRoot(client: KubeClient, root: '/api' | '/apis'): Promise<ServedKind[]> {
  const answer = (await client.send(plainGet(root, aggregated))) as GroupDiscoveryList;
  if (answer.kind === 'APIGroupDiscoveryList') return fromAggregated(answer);
  return root === '/api' ? legacyCore(client, answer) : legacyGroups(client, answer);
}

function fromAggregated(list: GroupDiscoveryList): ServedKind[] {
  const kinds: ServedKind[] = [];
  for (const group of list.items ?? []) {
    for (const { version, resources } of group.versions ?? []) {
      for (const resource of resources ?? []) {
        const kind = resource.responseKind?.kind;
        if (kind === undefined || kind === '') continue;
        kinds.push({
          group: group.metadata?.name ?? '',
          version,
          kind,
          plural: resource.resource,
          scope: resource.scope === 'Namespaced' ? 'Namespaced' : 'Cluster',
          verbs: resource.verbs ?? [],
        });
      }
    }
  }
  return kinds;
}

async function legacyCore(client: KubeClient, answer: unknown): Promise<ServedKind[]> {
  const { versions = [] } = answer as { readonly versions?: readonly string[] };
  const lists = await Promise.all(versions.map((version) => legacyVersion(client, '', version, `/api/${version}`)));
  return lists.flat();
}

async function legacyGroups(client: KubeClient, answer: unknown): Promise<ServedKind[]> {
  const { groups = [] } = answer as {
    readonly groups?: readonly {
      readonly name: string;
      readonly versions: readonly { readonly version: string }[];
      readonly preferredVersion?: { readonly version: string };
    }[];
  };
  const wanted = groups.flatMap(({ name, versions, preferredVersion }) => {
    const ordered = [...versions].sort(
      (a, b) => Number(b.version === preferredVersion?.version) - Number(a.version === preferredVersion?.version),
    );
    return ordered.map(({ version }) => ({ name, version }));
  });
  const lists = await Promise.all(
    wanted.map(({ name, version }) => legacyVersion(client, name, version, `/apis/${name}/${version}`)),
  );
  return lists.flat();
}

async function legacyVersion(client: KubeClient, group: string, version: string, path: string): Promise<ServedKind[]> {
  let list: ResourceList;
  try {
    list = (await client.send(plainGet(path))) as ResourceList;
  } catch (thrown) {
    // The group of an aggregated API whose server is down must not hide all others.
    if (group !== '' && thrown instanceof Fault) return [];
    throw thrown;
  }
  return (list.resources ?? [])
    .filter(({ name }) => !name.includes('/'))
    .map(({ name, namespaced, kind, verbs = [] }) => ({
      group,
      version,
      kind,
      plural: name,
      scope: namespaced ? 'Namespaced' : 'Cluster',
      verbs,
    }));
}
