import { numberAt } from '../../../model/json.ts';
import { type HealthCheck, progressing } from '../check.ts';
import { byConditions, ready } from '../rules.ts';

const steps: HealthCheck = byConditions(
  [
    { 'Disrupting=True': 'Suspended' },
    ready,
    { 'Initialized=True': progressing('Node initialized, waiting for Ready') },
    { 'Registered=True': progressing('Node registered, waiting for initialization') },
    { 'Launched=True': progressing('Node launched, waiting for registration') },
  ],
  progressing('Waiting for NodeClaim to be launched'),
);

export const nodeClaim: HealthCheck = (object) => {
  const { generation } = object.metadata;
  const observed = numberAt(object, 'status', 'observedGeneration');
  const isBehind = generation !== undefined && observed !== undefined && generation !== observed;
  return isBehind ? progressing('Waiting for NodeClaim spec to be reconciled') : steps(object);
};
