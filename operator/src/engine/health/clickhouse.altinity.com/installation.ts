import { textAt } from '../../../model/json.ts';
import { degraded, type HealthCheck, healthy, progressing } from '../check.ts';

/** Of ClickHouse and of its Keeper. */
export const clickHouseInstallation: HealthCheck = (object) => {
  const name = object.kind.replace(/Installation$/, '');
  const status = textAt(object, 'status', 'status');
  if (status === undefined) return progressing(`${name} status not yet available`);
  if (status === 'Completed') return healthy(`${name} installation completed successfully`);
  return status === 'InProgress'
    ? progressing(`${name} installation in progress`)
    : degraded(`${name} status: ${status}`);
};
