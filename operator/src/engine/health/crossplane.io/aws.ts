import { valueAt } from '../../../model/json.ts';
import { degraded, type HealthCheck, healthy, progressing, suspended } from '../check.ts';
import { conditionOf } from '../conditions.ts';

/** Kinds of Crossplane's AWS provider that Argo CD tells more of; `name` is what people call one. */
export function awsManaged(name: string): HealthCheck {
  return (object) => {
    if (valueAt(object, 'status', 'conditions') === undefined) return progressing(`Waiting for ${name} to be created`);
    const ready = conditionOf(object, 'Ready');
    const synced = conditionOf(object, 'Synced');
    const isSynced = synced?.status === 'True';
    if (isSynced && ready?.status === 'True') return healthy(ready.reason);
    if (synced?.reason === 'ReconcilePaused' && !isSynced) return suspended(synced.reason);
    if (isSynced) return progressing(`Waiting for ${name} to be available`);
    return degraded(synced?.reason === 'ReconcileError' ? synced.message : undefined);
  };
}
