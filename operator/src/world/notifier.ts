import type { Application, ApplicationConditionType } from '@mooring/crds';

/** Argo CD's event reasons, and Mooring's own: a failed try, and conditions. */
export type EventReason =
  | 'ResourceCreated'
  | 'ResourceUpdated'
  | 'ResourceDeleted'
  | 'OperationStarted'
  | 'OperationCompleted'
  | 'StatusRefreshed'
  | 'OperationRetried'
  | ApplicationConditionType;

/** Something that happened to an Application, for people. */
export interface Notice {
  readonly type: 'Normal' | 'Warning';
  readonly reason: EventReason;
  readonly message: string;
}

/** Tells people. Never throws and never blocks: a notice that cannot be sent is counted. */
export interface Notifier {
  notify(app: Application, notice: Notice): void;
}
