import { objectAt, valueAt } from '../../../model/json.ts';
import { degraded, type HealthCheck, healthy, progressing } from '../check.ts';
import { conditionsOf } from '../conditions.ts';

const withoutStatus: ReadonlySet<string> = new Set([
  'ClusterProviderConfig',
  'Composition',
  'CompositionRevision',
  'ControllerConfig',
  'DeploymentRuntimeConfig',
  'ProviderConfig',
  'ProviderConfigUsage',
]);

const wellTypes: ReadonlySet<string> = new Set([
  'Established',
  'Healthy',
  'Offered',
  'Ready',
  'RevisionHealthy',
  'ValidPipeline',
]);

/** Every kind of Crossplane's and of its providers'. */
export const crossplaneResource: HealthCheck = (object) => {
  const status = objectAt(object, 'status') ?? {};
  if (Object.keys(status).length === 0 && withoutStatus.has(object.kind)) return healthy('Resource is up-to-date.');
  if (status['conditions'] === undefined) {
    const isConfig = object.kind === 'ProviderConfig' || object.kind === 'ClusterProviderConfig';
    if (isConfig && valueAt(status, 'users') !== undefined) return healthy('Resource is in use.');
  }
  for (const { type, status: truth, message } of conditionsOf(object)) {
    if ((type === 'LastAsyncOperation' || type === 'Synced') && truth === 'False') return degraded(message);
    if (wellTypes.has(type) && truth === 'True') return healthy('Resource is up-to-date.');
  }
  return progressing('Provisioning ...');
};
