import type { ApplicationCondition, ApplicationStatus, ResourceResult, ResourceStatus } from '@mooring/crds';
import { keyText } from '../../model/resource-key.ts';
import { timestamp } from '../../model/timestamp.ts';
import { withoutTry } from './operation-message.ts';

/** What a status must fit into. `now` is milliseconds since 1970. */
export interface StatusBounds {
  /** Bytes of the status as JSON. */
  readonly bytes: number;
  /** Objects that a result is needed of, by `keyText`: without one they would be made anew. */
  readonly needed: ReadonlySet<string>;
  /** The status of before. */
  readonly before: ApplicationStatus;
  readonly now: number;
}

const condition = 'StatusTooLargeWarning';
/** Counts in a message are rounded down, so that a few bytes more or less write nothing. */
const countStep = 100;
/** Characters that are left of the message of a result where there is no room for all. */
const resultMessageLength = 200;
/** Characters that are left of other messages where nothing helps. */
const messageKept = 1_000;

/**
 * A status that fits into its bounds, with a condition that says what of it is left out. First go results of what is as it was, then of all that was applied: the next
 * pass finds it as it should be, and needs no result of it. Then objects are not listed any more, those first that are in sync; one of each kind stays. What is
 * needed to go on with an operation stays. Where that is too much the operation ends, and says what to do.
 */
export function fitted(status: ApplicationStatus, bounds: StatusBounds): ApplicationStatus {
  const { bytes, needed, before, now } = bounds;
  const size = bytesOf(status);
  if (size <= bytes) return withCondition(status, carriedOver(status, before), bounds);
  let over = size - bytes + conditionBytes;
  const isOver = status.operationState?.phase !== 'Running' && status.operationState?.phase !== 'Terminating';
  const results = status.operationState?.syncResult?.resources ?? [];
  const dispensable = (result: ResourceResult): boolean =>
    result.hookType === undefined &&
    result.status === 'Synced' &&
    result.hookPhase !== 'Failed' &&
    !needed.has(keyText(result));
  const kept = new Set(results);
  const drop = (which: (result: ResourceResult) => boolean): void => {
    for (const result of results.toReversed()) {
      if (over <= 0) return;
      if (kept.has(result) && which(result) && kept.delete(result)) over -= bytesOf(result) + 1;
    }
  };
  drop((result) => dispensable(result) && / unchanged$/.test(result.message ?? ''));
  drop(dispensable);
  if (isOver) drop(({ status: became }) => became === 'Pruned' || became === 'PruneSkipped');
  const listed = new Set(status.resources);
  for (const resource of expendable(status.resources ?? [])) {
    if (over <= 0) break;
    if (listed.delete(resource)) over -= bytesOf(resource) + 1;
  }
  const resources = (status.resources ?? []).filter((resource) => listed.has(resource));
  const left = (status.resources?.length ?? 0) - resources.length;
  const smaller = withResults(
    { ...status, ...(status.resources && { resources }) },
    results.filter((result) => kept.has(result)).map((result) => (over > 0 ? shortened(result) : result)),
  );
  const told = messageOf(status.resources, left, kept.size < results.length || isCut(before));
  const whole = withCondition(smaller, told, bounds);
  if (bytesOf(whole) <= bytes) return whole;
  return hopeless(status, now, bounds);
}

/** Bytes that the condition may take. */
const conditionBytes = 600;

/** Resources in the order in which they need not be listed: those in sync first, from the end; never the first of a kind. */
function expendable(resources: readonly ResourceStatus[]): ResourceStatus[] {
  const kinds = new Set<string>();
  const others = resources.filter(({ group = '', kind = '' }) => {
    const isFirst = !kinds.has(`${group}/${kind}`);
    kinds.add(`${group}/${kind}`);
    return !isFirst;
  });
  const isQuiet = ({ status, hook }: ResourceStatus): boolean => status === 'Synced' && hook !== true;
  return [...others.filter(isQuiet).reverse(), ...others.filter((one) => !isQuiet(one)).reverse()];
}

/**
 * Nothing that may be left out is enough: no object is listed and no result is kept. An operation under way ends, as nobody could tell how far it has come; what it
 * said last stays to be read.
 */
function hopeless(status: ApplicationStatus, now: number, bounds: StatusBounds): ApplicationStatus {
  const { operationState: state } = status;
  const told = `${whatIsLeftOut(status.resources, status.resources?.length ?? 0, true)}; ${wayOut}`;
  const said = withoutTry(state?.message ?? '').slice(0, messageKept);
  const message = `The operation was ended, as what is needed to go on with it has no room: ${told}${said === '' ? '' : `. It said last: ${said}`}`;
  const isOver = state?.phase !== 'Running' && state?.phase !== 'Terminating';
  const { resources: _, ...nothing } = state?.operation.sync ?? {};
  const ended = state && {
    ...state,
    // What was chosen is as long as the list of objects.
    operation: { ...state.operation, ...(state.operation.sync && { sync: nothing }) },
    ...(!isOver && { phase: 'Error' as const, message, finishedAt: timestamp(now) }),
  };
  const bare = withResults({ ...status, ...(ended && { operationState: ended }), resources: [] }, []);
  const { summary: __, ...rest } = bare;
  const { conditions = [] } = bare;
  const few = conditions.slice(0, 10).map((one) => ({ ...one, message: one.message.slice(0, messageKept) }));
  return withCondition({ ...rest, conditions: few }, told, bounds);
}

function shortened(result: ResourceResult): ResourceResult {
  const { message = '' } = result;
  return message.length <= resultMessageLength
    ? result
    : { ...result, message: `${message.slice(0, resultMessageLength)}…` };
}

function withResults(status: ApplicationStatus, resources: readonly ResourceResult[]): ApplicationStatus {
  const { operationState: state } = status;
  if (state?.syncResult?.resources === undefined) return status;
  return { ...status, operationState: { ...state, syncResult: { ...state.syncResult, resources } } };
}

const wayOut = 'split it into several Applications';

function messageOf(resources: ApplicationStatus['resources'], left: number, isCutShort: boolean): string {
  return `${whatIsLeftOut(resources, left, isCutShort)}. It is synced as a whole nevertheless; ${wayOut} to see all`;
}

/** Hooks come and go with each operation, and are not counted. */
function whatIsLeftOut(resources: ApplicationStatus['resources'], left: number, isCutShort: boolean): string {
  const objects = resources?.filter(({ hook }) => hook !== true).length ?? 0;
  const count = Math.floor(left / countStep) * countStep;
  const what = [
    ...(left > 0 ? [`${count === 0 ? 'some' : `more than ${count}`} objects are not listed in status.resources`] : []),
    ...(isCutShort ? ['results of what was synced are left out of status.operationState'] : []),
  ];
  return `The Application is too large for its status, with ${objects} objects: ${what.join(', and ')}`;
}

/** A pass that could not compare, or compared what fits, knows nothing of what was left out before; while the same operation is the last one, its results are still cut. */
function carriedOver(status: ApplicationStatus, before: ApplicationStatus): string | undefined {
  const last = conditionIn(before);
  if (last === undefined) return undefined;
  const isSameOperation = status.operationState?.startedAt === before.operationState?.startedAt;
  if (status.resources === before.resources && isSameOperation) return last.message;
  const isSameList = status.resources !== undefined && status.resources.length === before.resources?.length;
  if (isSameList && isSameOperation) return last.message;
  return isSameOperation && isCut(before) ? messageOf(status.resources, 0, true) : undefined;
}

function isCut(before: ApplicationStatus): boolean {
  return conditionIn(before)?.message.includes('status.operationState') ?? false;
}

function conditionIn(status: ApplicationStatus): ApplicationCondition | undefined {
  return status.conditions?.find(({ type }) => type === condition);
}

function withCondition(
  status: ApplicationStatus,
  message: string | undefined,
  bounds: StatusBounds,
): ApplicationStatus {
  if (message === undefined) return status;
  const others = (status.conditions ?? []).filter(({ type }) => type !== condition);
  const last = conditionIn(bounds.before);
  const isSame = last?.message === message;
  const told = isSame ? last : ({ type: condition, message, lastTransitionTime: timestamp(bounds.now) } as const);
  return { ...status, conditions: [...others, told] };
}

const encoder = new TextEncoder();
/** Most texts are: their bytes need not be written to be counted. */
const isAscii = /^[ -~]*$/;

/** Bytes of a value as JSON. */
export function bytesOf(value: unknown): number {
  const text = JSON.stringify(value) ?? '';
  return isAscii.test(text) ? text.length : encoder.encode(text).length;
}
