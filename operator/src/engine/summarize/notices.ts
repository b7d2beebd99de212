import type { ApplicationStatus } from '@mooring/crds';
import { endedOperation } from './deployment.ts';

/** Something that changed between two statuses, for Events and logs; the words are Argo CD's. */
export interface StatusNotice {
  readonly type: 'Normal' | 'Warning';
  readonly reason: 'ResourceUpdated' | 'OperationStarted' | 'OperationCompleted';
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
  if (before?.sync?.status !== after.sync?.status) {
    const message = `Updated sync status: ${before?.sync?.status ?? ''} -> ${after.sync?.status ?? ''}`;
    told.push({ type: 'Normal', reason: 'ResourceUpdated', message });
  }
  if (before?.health?.status !== after.health?.status) {
    const why = after.health?.message ? ` (${after.health.message})` : '';
    const message = `Updated health status: ${before?.health?.status ?? ''} -> ${after.health?.status ?? ''}${why}`;
    told.push({ type: 'Normal', reason: 'ResourceUpdated', message });
  }
  return told;
}
