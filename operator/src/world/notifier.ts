import type { Application } from '@mooring/crds';

/** Argo CD's event reasons. */
export type EventReason =
  | 'ResourceCreated'
  | 'ResourceUpdated'
  | 'ResourceDeleted'
  | 'OperationStarted'
  | 'OperationCompleted'
  | 'StatusRefreshed';

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
