import { type AppHealth, type Health, type HealthStatusCode, healthOrder } from '../../model/health.ts';
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

/**
 * The health of an Application: the worst of its objects (argo-cd.readthedocs.io, operator-manual/health). A missing object doesn't
 * count, it shows as OutOfSync; when nothing is there the Application is Missing. Nor do child Applications that are Missing or Unknown.
 */
export function appHealth(resources: Iterable<ResourceHealth>): AppHealth {
  let status: HealthStatusCode = 'Healthy';
  let causes: ResourceHealth[] = [];
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
      causes = [resource];
    } else if (own === status && own !== 'Healthy') {
      causes.push(resource);
    }
  }
  if (any && !anyLive) return { status: 'Missing', causes: [] };
  return { status, causes: causes.map(nameOf), ...(causes.length > 0 && { message: messageOf(causes) }) };
}

function isUndecidedChild(key: ResourceKey, status: HealthStatusCode): boolean {
  const isChild = key.group === 'argoproj.io' && key.kind === 'Application';
  return isChild && (status === 'Missing' || status === 'Unknown');
}

function isWorse(status: HealthStatusCode, than: HealthStatusCode): boolean {
  return healthOrder.indexOf(status) > healthOrder.indexOf(than);
}

/** Causes that are named, and characters of the reason of each: together they are a tenth of what a message may have. */
const causesShown = 10;
const reasonLength = 200;

/** Begins and names objects as Argo CD does: `Caused by apps/Deployment:shop/cart (exceeded its progress deadline), Service:shop/web and 2 more`. */
function messageOf(causes: readonly ResourceHealth[]): string {
  const shown = causes.slice(0, causesShown).map((cause) => {
    const reason = cause.health?.message?.replace(/\s+/g, ' ').trim() ?? '';
    if (reason === '') return nameOf(cause);
    return `${nameOf(cause)} (${reason.length <= reasonLength ? reason : `${reason.slice(0, reasonLength - 1)}…`})`;
  });
  const more = causes.length - shown.length;
  return `Caused by ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function nameOf({ key: { group, kind, namespace, name } }: ResourceHealth): string {
  const fullKind = group === '' ? kind : `${group}/${kind}`;
  return `${fullKind}:${namespace === '' ? name : `${namespace}/${name}`}`;
}
