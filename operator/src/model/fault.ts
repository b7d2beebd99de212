/** Why an expected failure happened; closed, to branch on. */
export type FaultCode =
  | 'spec-invalid'
  | 'project-missing'
  | 'source-forbidden'
  | 'destination-forbidden'
  | 'cluster-unknown'
  | 'cluster-unreachable'
  | 'cluster-refused'
  | 'repository-unreachable'
  | 'repository-refused'
  | 'revision-unknown'
  | 'render-failed'
  | 'render-limit'
  | 'object-refused'
  | 'object-conflict'
  | 'object-missing'
  | 'limit-reached'
  | 'write-held'
  | 'not-leading';

/** The condition of an Application that a fault is shown as (Argo CD's names). */
export type FaultCondition = 'InvalidSpecError' | 'ComparisonError' | 'SyncError';

/**
 * How a fault is treated, in one place. `retry: 'change'` waits until the spec, the project or the repository changes; `'backoff'` also tries again by itself;
 * `'lead'` waits until this replica leads again, and nothing is told of it: it has no condition.
 */
export interface FaultRule {
  readonly condition: FaultCondition | undefined;
  readonly retry: 'change' | 'backoff' | 'lead';
  readonly httpStatus: number;
}

export const faultRules: Readonly<Record<FaultCode, FaultRule>> = {
  'spec-invalid': { condition: 'InvalidSpecError', retry: 'change', httpStatus: 400 },
  'project-missing': { condition: 'InvalidSpecError', retry: 'backoff', httpStatus: 400 },
  'source-forbidden': { condition: 'InvalidSpecError', retry: 'change', httpStatus: 403 },
  'destination-forbidden': { condition: 'InvalidSpecError', retry: 'change', httpStatus: 403 },
  'cluster-unknown': { condition: 'InvalidSpecError', retry: 'backoff', httpStatus: 400 },
  'cluster-unreachable': { condition: 'ComparisonError', retry: 'backoff', httpStatus: 503 },
  'cluster-refused': { condition: 'ComparisonError', retry: 'backoff', httpStatus: 403 },
  'repository-unreachable': { condition: 'ComparisonError', retry: 'backoff', httpStatus: 503 },
  'repository-refused': { condition: 'ComparisonError', retry: 'backoff', httpStatus: 401 },
  'revision-unknown': { condition: 'ComparisonError', retry: 'backoff', httpStatus: 404 },
  'render-failed': { condition: 'ComparisonError', retry: 'change', httpStatus: 422 },
  'render-limit': { condition: 'ComparisonError', retry: 'backoff', httpStatus: 422 },
  'object-refused': { condition: 'SyncError', retry: 'backoff', httpStatus: 422 },
  'object-conflict': { condition: 'SyncError', retry: 'backoff', httpStatus: 409 },
  'object-missing': { condition: 'ComparisonError', retry: 'backoff', httpStatus: 404 },
  'limit-reached': { condition: 'ComparisonError', retry: 'backoff', httpStatus: 429 },
  'write-held': { condition: 'SyncError', retry: 'change', httpStatus: 403 },
  'not-leading': { condition: undefined, retry: 'lead', httpStatus: 503 },
};

/** What a fault is about, for logs and tests; never a secret. */
export type FaultData = Readonly<Record<string, string | number | boolean | undefined>>;

/** An expected failure: its message is for the user, names the file, line or object, and says what to do. Anything else that is thrown is a bug. */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly code: FaultCode;
  readonly data: FaultData;

  constructor(code: FaultCode, message: string, data: FaultData = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.data = data;
  }
}

/** The message of anything thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
