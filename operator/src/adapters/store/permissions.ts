import { Fault } from '../../model/fault.ts';
import type { Problem } from '../../world/readiness.ts';
import type { KubeClient } from '../kube/client.ts';
import { mayDo, whoAmI } from '../kube/review.ts';
import type { ServedKind } from '../kube/served-kind.ts';
import { kinds, resourceName } from './kinds.ts';

/** What the account is for: `inspect` reads, `operate` writes too, `lead` does so as one of several replicas that agree by a Lease. */
export type Purpose = 'inspect' | 'operate' | 'lead';

/** What an account must be allowed to do in the operator's namespace. */
interface Permission {
  readonly served: ServedKind;
  readonly inspect: readonly string[];
  readonly operate: readonly string[];
  /** Default: as `operate`. */
  readonly lead?: readonly string[];
  /** The one object that it is about; a Role may name it. */
  readonly name?: string;
}

const read = ['list', 'watch'];
const needed: readonly Permission[] = [
  { served: kinds.applications, inspect: read, operate: [...read, 'patch'] },
  { served: kinds.projects, inspect: read, operate: read },
  { served: kinds.secrets, inspect: read, operate: read },
  { served: kinds.configMaps, inspect: read, operate: read, name: 'argocd-cm' },
  { served: kinds.configMaps, inspect: read, operate: read, name: 'argocd-cmd-params-cm' },
  { served: kinds.configMaps, inspect: read, operate: read, name: 'argocd-ssh-known-hosts-cm' },
  { served: kinds.configMaps, inspect: read, operate: read, name: 'argocd-tls-certs-cm' },
  { served: kinds.events, inspect: [], operate: ['create', 'patch'] },
  { served: kinds.leases, inspect: [], operate: [], lead: ['get', ...read, 'create', 'update'] },
];

/**
 * Asks the API server for each permission, and says which are missing and what would grant them; `unknown` where the account may not even ask. Throws
 * `Fault`.
 */
export async function missingPermissions(
  client: KubeClient,
  namespace: string,
  purpose: Purpose,
): Promise<Problem | 'unknown' | undefined> {
  const answers = await Promise.all(
    needed.flatMap(({ served, name = '', ...verbs }) =>
      (verbs[purpose] ?? verbs.operate).map(async (verb) => ({
        served,
        verb,
        allowed: await mayDo(client, { verb, group: served.group, resource: served.plural, namespace, name }),
      })),
    ),
  ).catch((thrown: unknown) => {
    if (thrown instanceof Fault && thrown.data['httpStatus'] === 403) return undefined;
    throw thrown;
  });
  if (answers === undefined) return 'unknown';
  const missing = new Map<ServedKind, Set<string>>();
  for (const { served, verb, allowed } of answers)
    if (!allowed) missing.set(served, (missing.get(served) ?? new Set()).add(verb));
  if (missing.size === 0) return undefined;
  const lacking = [...missing].map(([served, verbs]) => `${[...verbs].join(', ')} ${resourceName(served)}`);
  const rules = [...missing].map(
    ([{ group, plural }, verbs]) =>
      `{apiGroups: ["${group}"], resources: [${plural}], verbs: [${[...verbs].join(', ')}]}`,
  );
  return {
    reason: 'PermissionsMissing',
    message: `${await whoAmI(client)} may not ${lacking.join('; ')} in the namespace ${namespace}: bind it there to a Role with the rules ${rules.join(', ')}`,
  };
}
