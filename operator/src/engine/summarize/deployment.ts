import type { ApplicationStatus, OperationState } from '@mooring/crds';

/** The operation that reached a final phase between two statuses. */
export function endedOperation(
  before: ApplicationStatus | undefined,
  after: ApplicationStatus,
): OperationState | undefined {
  const { operationState: operation } = after;
  if (operation === undefined || operation.phase === 'Running' || operation.phase === 'Terminating') return undefined;
  const { startedAt, phase } = before?.operationState ?? {};
  return operation.startedAt !== startedAt || operation.phase !== phase ? operation : undefined;
}

/** What an operation that has ended was to bring. */
export interface Deployment {
  readonly revision: string;
  readonly succeeded: boolean;
  /** Whether the Application never had this revision before: no rollback. */
  readonly isNews: boolean;
}

/**
 * An operation as a deployment: one of the whole Application, to another revision than the one deployed before. Neither a rehearsal nor a heal is one, nor is the
 * beginning of an Application, which changes nothing that anybody has.
 */
export function deploymentOf(before: ApplicationStatus | undefined, ended: OperationState): Deployment | undefined {
  const { sync } = ended.operation;
  const revision = ended.syncResult?.revision;
  if (!revision || sync?.dryRun || sync?.resources?.length || sync?.autoHealAttemptsCount !== undefined)
    return undefined;
  const deployed = (before?.history ?? []).map((entry) => entry.revision);
  if (deployed.length === 0 || deployed.at(-1) === revision) return undefined;
  return {
    revision,
    succeeded: ended.phase === 'Succeeded',
    isNews: !deployed.includes(revision),
  };
}
