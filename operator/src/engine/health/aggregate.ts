import { type Health, type HealthStatusCode, healthOrder } from '../../model/health.ts';
import type { ResourceKey } from '../../model/resource-key.ts';

/** What one object adds to the health of its Application. */
export interface ResourceHealth {
  readonly key: ResourceKey;
  /** undefined where the kind has no rule. */
  readonly health: Health | undefined;
  /** Desired, and not in the cluster. */
  readonly missing: boolean;
  /** A hook, of whatever phase; hooks are no part of the Application. */
  readonly hook: boolean;
  /** `argocd.argoproj.io/ignore-healthcheck: "true"`, or the Application itself where it manages itself. */
  readonly ignored: boolean;
}

export interface AppHealth {
  readonly status: HealthStatusCode;
  /** The objects that the status comes from; none while Healthy, and none where everything is missing. */
  readonly causes: readonly ResourceKey[];
}

/**
 * The health of an Application: the worst of its objects (argo-cd.readthedocs.io, operator-manual/health). A missing object doesn't
 * count, it shows as OutOfSync; when nothing is there the Application is Missing. Nor do child Applications that are Missing or Unknown.
 */
export function appHealth(resources: Iterable<ResourceHealth>): AppHealth {
  let status: HealthStatusCode = 'Healthy';
  let causes: ResourceKey[] = [];
  let any = false;
  let anyLive = false;
  for (const resource of resources) {
    if (resource.hook) continue;
    any = true;
    if (resource.missing) continue;
    anyLive = true;
    const own = resource.health?.status;
    if (own === undefined || resource.ignored || isUndecidedChild(resource.key, own)) continue;
    if (isWorse(own, status)) {
      status = own;
      causes = [resource.key];
    } else if (own === status && own !== 'Healthy') {
      causes.push(resource.key);
    }
  }
  return any && !anyLive ? { status: 'Missing', causes: [] } : { status, causes };
}

function isUndecidedChild(key: ResourceKey, status: HealthStatusCode): boolean {
  const isChild = key.group === 'argoproj.io' && key.kind === 'Application';
  return isChild && (status === 'Missing' || status === 'Unknown');
}

function isWorse(status: HealthStatusCode, than: HealthStatusCode): boolean {
  return healthOrder.indexOf(status) > healthOrder.indexOf(than);
}

const causesShown = 3;

/** The causes in Argo CD's words: `apps/Deployment:shop/cart, Service:shop/web and 2 more`; `''` where there is none. */
export function causesText(causes: readonly ResourceKey[]): string {
  const shown = causes.slice(0, causesShown).map(({ group, kind, namespace, name }) => {
    const fullKind = group === '' ? kind : `${group}/${kind}`;
    return `${fullKind}:${namespace === '' ? name : `${namespace}/${name}`}`;
  });
  const more = causes.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}
