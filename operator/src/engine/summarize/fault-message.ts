import { type Fault, type FaultCode, faultRules } from '../../model/fault.ts';

const targetCodes: ReadonlySet<FaultCode> = new Set<FaultCode>([
  'repository-unreachable',
  'repository-refused',
  'revision-unknown',
  'render-failed',
  'render-limit',
]);

/** What a condition says of a fault. Alerts and scripts look for Argo CD's words, so they stand in front: which of the two sides could not be loaded. */
export function conditionMessage(fault: Fault): string {
  if (targetCodes.has(fault.code)) {
    return `Failed to load target state: failed to generate manifest for source 1 of 1: ${fault.message}`;
  }
  const isLive = faultRules[fault.code].condition === 'ComparisonError' && fault.code.startsWith('cluster-');
  return isLive ? `Failed to load live state: ${fault.message}` : fault.message;
}

/** What an operation says that a fault stands in the way of: the condition, and its message. */
export function operationMessage(fault: Fault): string {
  const { condition } = faultRules[fault.code];
  return condition === 'SyncError' || condition === undefined
    ? fault.message
    : `${condition}: ${conditionMessage(fault)}`;
}

/** Whether a fault is of the revision that was looked at, and so says nothing of another one. */
export function isOfRevision({ code }: Fault): boolean {
  return code === 'revision-unknown' || code === 'render-failed' || code === 'render-limit';
}
