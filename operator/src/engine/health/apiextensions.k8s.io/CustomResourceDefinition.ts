import type { Health } from '../../../model/health.ts';
import { degraded, type HealthCheck, healthy, progressing } from '../check.ts';
import { type Condition, conditionsOf } from '../conditions.ts';

export const customResourceDefinition: HealthCheck = (object) => {
  if (object.metadata.deletionTimestamp !== undefined) return progressing('CRD is terminating');
  const conditions = conditionsOf(object);
  if (conditions.length === 0) return progressing('Status conditions not found');
  for (const condition of conditions) {
    const verdict = obstacle(condition);
    if (verdict !== undefined) return verdict;
  }
  const established = conditions.some(({ type, status }) => type === 'Established' && status === 'True');
  return established ? healthy('CRD is healthy') : degraded('CRD is not established');
};

function obstacle({ type, status, reason, message }: Condition): Health | undefined {
  if (type === 'Terminating' && status === 'True') return progressing(`CRD is terminating: ${message}`);
  if (type === 'NamesAccepted' && status === 'False') {
    return degraded(`CRD names have not been accepted: ${message}`);
  }
  if (type === 'NonStructuralSchema' && status === 'True') return degraded(`Schema violations found: ${message}`);
  if (type === 'Established' && status !== 'True' && reason === 'Installing') {
    return progressing('CRD is being installed');
  }
  return undefined;
}
