import { textAt } from '../../../model/json.ts';
import { degraded, type HealthCheck, healthy, progressing, unknown } from '../check.ts';
import { statusMessage } from '../rules.ts';

export const analysisRun: HealthCheck = (object) => {
  switch (textAt(object, 'status', 'phase')) {
    case 'Pending':
    case 'Running':
      return progressing('Analysis run is running');
    case 'Successful':
      return healthy(statusMessage(object, 'Analysis run completed successfully'));
    case 'Failed':
      return degraded(statusMessage(object, 'Analysis run failed'));
    case 'Error':
      return degraded(statusMessage(object, 'Analysis run had an error'));
    case 'Inconclusive':
      return unknown(statusMessage(object, 'Analysis run was inconclusive'));
    default:
      return progressing('Waiting for analysis run to finish: status has not been reconciled.');
  }
};
