import type { ApplicationCondition, ApplicationConditionType, ApplicationStatus, OperationState } from '@mooring/crds';
import { endedOperation } from './deployment.ts';
import { withoutTry } from './operation-message.ts';

/** Something that changed between two statuses, for Events and logs; the words are Argo CD's. */
export interface StatusNotice {
  readonly type: 'Normal' | 'Warning';
  /** `OperationRetried` and the conditions are Mooring's own. */
  readonly reason:
    | 'ResourceUpdated'
    | 'OperationStarted'
    | 'OperationCompleted'
    | 'OperationRetried'
    | ApplicationConditionType;
  readonly message: string;
}

/** Tells what people want to know of the step from one status to the next. */
export function notices(before: ApplicationStatus | undefined, after: ApplicationStatus): StatusNotice[] {
  const told: StatusNotice[] = [];
  const operation = after.operationState;
  const last = before?.operationState;
  const revision = operation?.syncResult?.revision ?? operation?.operation.sync?.revision ?? '';
  const isNew = operation !== undefined && operation.startedAt !== last?.startedAt;
  if (isNew) {
    const { initiatedBy, sync } = operation.operation;
    const message = initiatedBy?.automated
      ? `Initiated automated sync to '${revision}'`
      : `${initiatedBy?.username || 'Unknown user'} initiated ${sync?.resources?.length ? 'partial ' : ''}sync to ${revision}`;
    told.push({ type: 'Normal', reason: 'OperationStarted', message });
  }
  const ended = endedOperation(before, after);
  if (ended !== undefined) {
    const succeeded = ended.phase === 'Succeeded';
    const partial = (ended.operation.sync?.resources?.length ?? 0) > 0 ? 'Partial sync' : 'Sync';
    const outcome = succeeded ? 'succeeded' : `failed: ${ended.message ?? ''}`;
    told.push({
      type: succeeded ? 'Normal' : 'Warning',
      reason: 'OperationCompleted',
      message: `${partial} operation to ${revision} ${outcome}`,
    });
  }
  if (
    operation !== undefined &&
    operation.phase === 'Running' &&
    retriesOf(operation) > (isNew ? 0 : retriesOf(last))
  ) {
    const message = `Sync operation to ${revision} failed, and is tried again: ${withoutTry(operation.message ?? '')}`;
    told.push({ type: 'Warning', reason: 'OperationRetried', message });
  }
  if (before?.sync?.status !== after.sync?.status) {
    const message = `Updated sync status: ${before?.sync?.status ?? ''} -> ${after.sync?.status ?? ''}`;
    told.push({ type: 'Normal', reason: 'ResourceUpdated', message });
  }
  const isDegraded = after.health?.status === 'Degraded';
  const isOtherCause = isDegraded && before?.health?.message !== after.health?.message;
  if (before?.health?.status !== after.health?.status || isOtherCause) {
    const why = after.health?.message ? ` (${after.health.message})` : '';
    const message = `Updated health status: ${before?.health?.status ?? ''} -> ${after.health?.status ?? ''}${why}`;
    told.push({ type: isDegraded ? 'Warning' : 'Normal', reason: 'ResourceUpdated', message });
  }
  const known = before?.conditions ?? [];
  // How much of a status is left out changes on the way of an operation; that something is, is told once.
  const isKnown = ({ type, message }: ApplicationCondition): boolean =>
    known.some((one) => one.type === type && (one.message === message || type === 'StatusTooLargeWarning')) ||
    isOfOperation(message, operation);
  return [...told, ...conditionNotices((after.conditions ?? []).filter((condition) => !isKnown(condition)))];
}

/** Conditions as warnings; told again they are counted. */
export function conditionNotices(conditions: readonly ApplicationCondition[]): StatusNotice[] {
  return conditions.map(({ type, message }) => ({ type: 'Warning', reason: type, message }));
}

/** Whether the end of the operation has told it already. */
function isOfOperation(message: string, operation: OperationState | undefined): boolean {
  const isOver = operation?.phase === 'Failed' || operation?.phase === 'Error';
  return isOver && operation.message !== undefined && operation.message !== '' && message.includes(operation.message);
}

function retriesOf(operation: OperationState | undefined): number {
  return operation?.retryCount ?? 0;
}
