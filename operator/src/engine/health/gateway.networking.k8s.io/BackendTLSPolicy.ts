import { isJsonObject, listAt, numberAt, textAt } from '../../../model/json.ts';
import { degraded, type HealthCheck, healthy, progressing } from '../check.ts';
import { conditionFrom } from '../conditions.ts';

export const backendTlsPolicy: HealthCheck = (object) => {
  const { generation } = object.metadata;
  const answers = listAt(object, 'status', 'ancestors').flatMap((ancestor) =>
    listAt(ancestor, 'conditions')
      .filter(isJsonObject)
      .map((entry) => ({
        name: textAt(ancestor, 'ancestorRef', 'name') ?? '',
        observed: numberAt(entry, 'observedGeneration'),
        ...conditionFrom(entry),
      })),
  );
  const late = answers.find(({ observed }) => observed !== undefined && observed !== generation);
  if (generation !== undefined && late !== undefined) {
    return progressing(`Waiting for Ancestor ${late.name} to update BackendTLSPolicy status`);
  }
  const failed = answers.find(({ type, status }) => ['Accepted', 'ResolvedRefs'].includes(type) && status !== 'True');
  if (failed !== undefined) return degraded(`Ancestor ${failed.name}: ${failed.message}`);
  const accepted = answers.some(({ type }) => type === 'Accepted');
  return accepted ? healthy('BackendTLSPolicy is healthy') : progressing('Waiting for BackendTLSPolicy status');
};
