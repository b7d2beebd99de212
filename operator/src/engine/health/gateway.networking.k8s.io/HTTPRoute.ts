import type { KubeObject } from '@mooring/renderer-contract';
import type { Health } from '../../../model/health.ts';
import { isJsonObject, listAt, numberAt, textAt } from '../../../model/json.ts';
import { degraded, type HealthCheck, healthy, progressing } from '../check.ts';
import { conditionFrom } from '../conditions.ts';

/** A route is as healthy as its worst parent that has seen this generation of it. */
export const httpRoute: HealthCheck = (object) => {
  const parents = listAt(object, 'status', 'parents').filter((parent) => hasSeen(parent, object));
  for (const parent of parents) {
    const trouble = troubleOf(parent);
    if (trouble !== undefined) return trouble;
  }
  const answered = parents.some((parent) => listAt(parent, 'conditions').length > 0);
  return answered ? healthy('HTTPRoute is healthy') : progressing('Waiting for HTTPRoute status');
};

function hasSeen(parent: unknown, { metadata }: KubeObject): boolean {
  const conditions = listAt(parent, 'conditions');
  if (metadata.generation === undefined) return true;
  return conditions.every((condition) => {
    const observed = numberAt(condition, 'observedGeneration');
    return observed === undefined || observed === metadata.generation;
  });
}

function troubleOf(parent: unknown): Health | undefined {
  const name = textAt(parent, 'parentRef', 'name') ?? '';
  const conditions = listAt(parent, 'conditions').filter(isJsonObject).map(conditionFrom);
  for (const type of ['ResolvedRefs', 'Accepted']) {
    const failed = conditions.find((condition) => condition.type === type && condition.status === 'False');
    if (failed !== undefined) return degraded(`Parent ${name}: ${failed.message || `Failed condition: ${type}`}`);
  }
  const waiting = conditions.find(({ type, status }) => type === 'Programmed' && status !== 'True');
  if (waiting === undefined) return undefined;
  return progressing(`Parent ${name}: ${waiting.message || 'Route is still being programmed'}`);
}
