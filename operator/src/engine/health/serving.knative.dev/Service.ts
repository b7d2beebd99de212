import { valueAt } from '../../../model/json.ts';
import { degraded, type HealthCheck, healthy, progressing } from '../check.ts';
import { conditionsOf } from '../conditions.ts';

const needed: ReadonlySet<string> = new Set(['ConfigurationsReady', 'RoutesReady', 'Ready']);

export const knativeService: HealthCheck = (object) => {
  if (valueAt(object, 'status', 'conditions') === undefined) return progressing('Waiting for status update.');
  const conditions = conditionsOf(object);
  const open = conditions.filter(({ status }) => status === 'False' || status === 'Unknown');
  const met = conditions.filter(({ type, status }) => needed.has(type) && status === 'True');
  if (met.length === needed.size && open.length === 0) return healthy('Knative Service is healthy.');
  const lines = open.map(({ type, status, reason, message }) => {
    const cause = reason === '' ? '' : `, since ${reason}.`;
    return `${type} is ${status}${cause}${message === '' ? '' : ` ${message}`}\n`;
  });
  const failed = open.some(({ status }) => status === 'False');
  return failed ? degraded(lines.join('')) : progressing(lines.join(''));
};
