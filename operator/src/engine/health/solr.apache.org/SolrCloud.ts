import { listAt, valueAt } from '../../../model/json.ts';
import { type HealthCheck, healthy, progressing } from '../check.ts';

export const solrCloud: HealthCheck = (object) => {
  if (valueAt(object, 'status', 'solrNodes') === undefined) return progressing('Waiting for solr to exist');
  const ready = listAt(object, 'status', 'solrNodes').every((node) => valueAt(node, 'ready') === true);
  return ready ? healthy('Solr is ready') : progressing('Not all replicas are ready');
};
