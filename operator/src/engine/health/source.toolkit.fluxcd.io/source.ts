import { valueAt } from '../../../model/json.ts';
import { degraded, type HealthCheck, healthy, progressing, suspended } from '../check.ts';
import { conditionOf, conditionsOf } from '../conditions.ts';

/** Every kind of source of Flux's: ready once its artifact is stored. */
export const fluxSource: HealthCheck = (object) => {
  if (valueAt(object, 'spec', 'suspend') === true) return suspended(`${object.kind} is suspended`);
  if (valueAt(object, 'status', 'conditions') === undefined) return progressing('Status unknown');
  const isTrue = (type: string) => conditionOf(object, type)?.status === 'True';
  const ready = conditionOf(object, 'Ready');
  const outdated = conditionsOf(object).find(({ type, status }) => type === 'ArtifactOutdated' && status === 'True');
  const message = `${ready?.reason ?? ''}${outdated === undefined ? '' : ` ${outdated.reason}`}`;
  if (ready?.status === 'Unknown' && isTrue('Reconciling')) return progressing(message);
  return ready?.status === 'True' && isTrue('ArtifactInStorage') ? healthy(message) : degraded(message);
};
