import type { Application, ApplicationSource, OperationState } from '@mooring/crds';
import type { LiveRecord } from '../../model/live.ts';
import type { Task, TaskResult } from '../../model/plan.ts';
import { addressKey } from '../../model/repository-url.ts';
import type { Cluster } from '../../world/cluster.ts';
import type { Step } from '../../world/telemetry.ts';
import type { Span, SpanAttributes } from '../../world/tracer.ts';
import type { Action } from '../action.ts';
import type { Ending, OpenTrace, SeenCommit, Traces } from '../traces.ts';

/** An operation that a pass has decided upon. */
export interface TracedOperation {
  readonly app: Application;
  readonly state: OperationState;
  /** Whether it begins with this pass. */
  readonly fresh: boolean;
  readonly source: ApplicationSource;
  readonly commit: string;
}

/** One pass, as far as traces go. */
export interface TracedPass {
  /** The step begins; what is answered ends it, with what went wrong. Undefined where nobody would know of it. */
  readonly begin: ((step: Step) => (failure?: string) => void) | undefined;
  /** The pass is over, and has left the Application as it is stored now. `failure` is that of a bug. */
  end(app: Application | undefined, action: Action, failure?: string): void;
}

/**
 * The part that one Application has in a trace: from when it is woken for a commit, or an operation begins, until it is Synced and Healthy or will not
 * become so by itself. Passes, waves and objects are spans in it.
 */
export interface AppTrace {
  /** Trace of the pass that is under way, or was the last; every pass has one, recorded or not. */
  readonly traceId: string | undefined;
  /** The Application's own span; undefined where it has no part in a recorded trace. */
  readonly span: Span | undefined;
  /** The commit was found to be what the Application is to become; true where that was not known of this commit yet. */
  isNews(commit: string): boolean;
  /** Takes part in the trace of a commit, in the place of any other. */
  join(trace: OpenTrace, commit: string, project: string): void;
  pass(): TracedPass;
  /** The pass will carry on with this operation. */
  operate(operation: TracedOperation): void;
  /** A task begins; undefined where it is not recorded. */
  task(task: Task): Span | undefined;
  taskDone(task: Task, result: TaskResult): void;
  /** Looks which objects have come to what they were to. */
  observe(cluster: Pick<Cluster, 'record'>): void;
  /** The Application is no more. */
  gone(): void;
}

/** Passes recorded in one part; an Application that takes longer is looked at over and over. */
const passesRecorded = 500;

/** A wave lasts until its last object is healthy and another one has begun. */
interface Wave {
  readonly span: Span;
  readonly name: string;
  open: number;
  over: boolean;
}

interface TracedObject {
  readonly span: Span;
  readonly task: Task;
  readonly wave: Wave;
  applied: boolean;
}

interface Part {
  readonly trace: OpenTrace;
  readonly span: Span;
  /** When it began, milliseconds since 1970. */
  readonly startMs: number;
  readonly commit: string;
  readonly ofCommit: boolean;
  readonly waves: Map<string, Wave>;
  readonly objects: Map<string, TracedObject>;
  passes: number;
}

interface Pass {
  readonly traceId: string;
  readonly startMs: number;
  /** The part that it began in: one that began meanwhile has not been looked at by it. */
  readonly part: Part | undefined;
  readonly steps: {
    readonly name: Step;
    readonly startMs: number;
    readonly endMs: number;
    readonly failure?: string;
  }[];
  /** What it works on. */
  commit?: string;
}

export function createAppTrace(name: { readonly namespace: string; readonly name: string }, traces: Traces): AppTrace {
  const { tracer } = traces;
  const who = `${name.namespace}/${name.name}`;
  const identity = { 'argocd.app.name': name.name, 'argocd.app.namespace': name.namespace };
  let part: Part | undefined;
  let pass: Pass | undefined;
  let lastCommit: string | undefined;

  const enter = (trace: OpenTrace, commit: string, ofCommit: boolean, startMs: number, of: SpanAttributes): void => {
    end(superseded);
    const from = Math.max(startMs, trace.startMs);
    const span = ofCommit ? trace.span.child(`application ${name.name}`, { ...identity, ...of }, from) : trace.span;
    const made: Part = {
      trace,
      span,
      startMs: from,
      commit,
      ofCommit,
      waves: new Map(),
      objects: new Map(),
      passes: 0,
    };
    part = made;
    trace.enter(who, (ending) => {
      if (part === made) end(ending);
    });
  };

  const end = (ending?: Ending): void => {
    const over = part;
    if (over === undefined) return;
    part = undefined;
    const failure = ending?.isFailure ? ending.says : undefined;
    // This ends waves too that one of the same name has come after.
    for (const [id, object] of over.objects) endObject(id, object, over, failure);
    for (const { span } of over.waves.values()) span.end(failure);
    if (ending !== undefined) over.span.set({ 'mooring.outcome': ending.says });
    if (over.ofCommit) over.span.end(failure);
    over.trace.leave(who, failure);
  };

  const waveOf = ({ phase, wave }: Task, { span, waves, commit }: Part): Wave => {
    const title = `${phase} ${wave}`;
    const known = waves.get(title);
    if (known !== undefined && !known.over) return known;
    for (const other of waves.values()) closeWave(other, waves);
    const attributes = { 'argocd.sync.phase': phase, 'argocd.sync.wave': wave, 'argocd.revision': commit };
    const made = { span: span.child(`wave ${title}`, attributes), name: title, open: 0, over: false };
    waves.set(title, made);
    return made;
  };

  const closeWave = (wave: Wave, waves: Map<string, Wave>): void => {
    wave.over = true;
    if (wave.open > 0) return;
    wave.span.end();
    if (waves.get(wave.name) === wave) waves.delete(wave.name);
  };

  const endObject = (id: string, { span, wave }: TracedObject, { objects, waves }: Part, failure?: string): void => {
    objects.delete(id);
    span.end(failure);
    wave.open -= 1;
    if (wave.over) closeWave(wave, waves);
  };

  return {
    get traceId() {
      return part?.span.traceId ?? pass?.traceId;
    },
    get span() {
      return part?.span.spanId === undefined ? undefined : part.span;
    },
    isNews(commit) {
      if (lastCommit === commit) return false;
      lastCommit = commit;
      return true;
    },
    join(trace, commit, project) {
      lastCommit = commit;
      // It was seen by a look that took longer than the trace.
      if (trace.isOver) return;
      enter(trace, commit, true, tracer.now(), { 'argocd.app.project': project, 'argocd.revision': commit });
    },
    pass() {
      const own: Pass = {
        traceId: part?.span.traceId ?? tracer.newTraceId(),
        startMs: tracer.now(),
        part,
        steps: [],
      };
      pass = own;
      const begin = (step: Step): ((failure?: string) => void) => {
        const startMs = tracer.now();
        return (failure) => {
          own.steps.push({ name: step, startMs, endMs: tracer.now(), ...(failure !== undefined && { failure }) });
        };
      };
      return {
        begin: tracer.records ? begin : undefined,
        end(app, action, failure) {
          // A part that began while this pass was under way, and is not of what it did, has its own pass to come.
          if (part === undefined || (part !== own.part && own.commit !== part.commit)) return;
          part.passes += 1;
          if (part.span.spanId !== undefined && part.passes <= passesRecorded) recordPass(own, part, failure);
          if (app === undefined) return end(deleted);
          const outcome = outcomeOf(app, part, action);
          if (outcome === undefined) return;
          const { sync, health } = app.status ?? {};
          part.span.set({ 'argocd.sync.status': sync?.status, 'argocd.health.status': health?.status });
          if (outcome.closesWaves) for (const wave of [...part.waves.values()]) closeWave(wave, part.waves);
          if (outcome.ending !== undefined) end(outcome.ending === 'done' ? undefined : outcome.ending);
        },
      };
    },
    operate({ app, state: { operation }, fresh, source: { repoURL: repository }, commit }) {
      if (pass !== undefined) pass.commit = commit;
      if (part?.commit === commit) return;
      if (part !== undefined && !fresh) return;
      const startMs = pass?.startMs ?? tracer.now();
      const traceId = pass?.traceId ?? tracer.newTraceId();
      const { automated = false } = operation.initiatedBy ?? {};
      const heals = operation.sync?.autoHealAttemptsCount !== undefined;
      const about = { 'argocd.app.project': app.spec.project, 'argocd.revision': commit };
      if (automated && !heals) {
        const seen: SeenCommit = { repository, commit, trigger: 'application', startMs, traceId };
        lastCommit = commit;
        return enter(traces.ofCommit(addressKey(repository) ?? repository, seen), commit, true, startMs, about);
      }
      const trigger = heals ? 'self-heal' : 'person';
      const dryRun = operation.sync?.dryRun === true ? { 'argocd.sync.dry_run': true } : {};
      const attributes = { ...identity, ...about, ...dryRun, 'mooring.trigger': trigger };
      enter(traces.begin(`operation ${name.name}`, attributes, { startMs, traceId }), commit, false, startMs, {});
    },
    task(task) {
      const current = part;
      if (current?.span.spanId === undefined || !isWritten(task)) return undefined;
      // It was woken for a newer commit, and the operation is of another one.
      if (pass?.commit !== undefined && pass.commit !== current.commit) return undefined;
      const wave = waveOf(task, current);
      wave.open += 1;
      const { group, kind, namespace, name: objectName } = task.key;
      const span = wave.span.child(`${task.action} ${kind}`, {
        'argocd.resource.group': group,
        'argocd.resource.kind': kind,
        'argocd.resource.namespace': namespace,
        'argocd.resource.name': objectName,
        ...(task.isHook && { 'argocd.hook.type': task.phase }),
      });
      const before = current.objects.get(task.id);
      if (before !== undefined) endObject(task.id, before, current);
      current.objects.set(task.id, { span, task, wave, applied: false });
      return span;
    },
    taskDone(task, { status, message, hookPhase }) {
      const object = part?.objects.get(task.id);
      if (part === undefined || object === undefined) return;
      object.applied = true;
      object.span.event(task.action === 'prune' ? 'deleted' : 'applied', { 'mooring.message': message });
      if (status === 'SyncFailed') endObject(task.id, object, part, message);
      else if (hookPhase !== 'Running' && task.action !== 'prune') endObject(task.id, object, part);
    },
    observe(cluster) {
      if (part === undefined) return;
      for (const [id, object] of part.objects) {
        if (!object.applied) continue;
        const verdict = verdictOf(object.task, cluster.record(object.task.key));
        if (verdict !== undefined) endObject(id, object, part, verdict.failure);
      }
    },
    gone: () => end(deleted),
  };
}

/** What of a pass was before the part in the trace began, where the pass itself began it late, is left out. */
function recordPass({ startMs, steps, commit }: Pass, part: Part, failure: string | undefined): void {
  const from = (ms: number): number => Math.max(ms, part.startMs);
  const recorded = part.span.child('reconcile', { 'argocd.revision': commit }, from(startMs));
  for (const step of steps) {
    if (step.endMs >= part.startMs) recorded.child(step.name, {}, from(step.startMs)).end(step.failure, step.endMs);
  }
  recorded.end(failure ?? steps.find((step) => step.failure !== undefined)?.failure);
}

/** What is neither written nor deleted is no work of the sync. */
function isWritten({ action, unchanged }: Task): boolean {
  return (action === 'apply' && !unchanged) || action === 'prune';
}

/** What has become of an object; undefined while it is on its way. */
function verdictOf(
  { action, isHook, live }: Task,
  record: LiveRecord | undefined,
): { readonly failure?: string } | undefined {
  if (action === 'prune') return record === undefined || record.uid !== live?.uid || !record.deleting ? {} : undefined;
  if (record === undefined) return {};
  switch (record.health?.status) {
    case undefined:
    case 'Healthy':
    case 'Suspended':
      return {};
    case 'Degraded':
      return isHook ? { failure: record.health.message ?? 'Degraded' } : undefined;
    default:
      return undefined;
  }
}

const superseded: Ending = { says: 'superseded', isFailure: false };
const deleted: Ending = { says: 'deleted', isFailure: false };

interface Outcome {
  /** Whether no further wave of the operation comes. */
  readonly closesWaves: boolean;
  /** Set where nothing more happens by itself. */
  readonly ending?: Ending | 'done';
}

/** How far an Application is, by what is stored of it and by whether it is looked at again without anything happening. */
function outcomeOf(
  { metadata, status = {} }: Application,
  { commit, ofCommit }: { readonly commit: string; readonly ofCommit: boolean },
  action: Action,
): Outcome {
  if (metadata.deletionTimestamp !== undefined) return { closesWaves: true, ending: deleted };
  const { sync, health, operationState, conditions = [] } = status;
  const { finishedAt } = operationState ?? {};
  const isOwn = operationState?.syncResult?.revision === commit;
  if (operationState?.phase === 'Running' || operationState?.phase === 'Terminating')
    return { closesWaves: isOwn && finishedAt !== undefined };
  const phase = isOwn ? operationState.phase : undefined;
  if (action.do === 'again') return { closesWaves: phase !== undefined };
  if (phase === 'Failed' || phase === 'Error') {
    const says = `the sync has failed: ${operationState?.message ?? ''}`;
    return { closesWaves: true, ending: { says, isFailure: true } };
  }
  if (ofCommit && sync?.revision !== commit && sync?.status !== 'Unknown')
    return { closesWaves: true, ending: superseded };
  if (sync?.status !== 'Synced') {
    const problem = conditions.find(({ type }) => type.endsWith('Error'));
    const says = problem?.message ?? sync?.status ?? 'Unknown';
    return { closesWaves: true, ending: { says, isFailure: problem !== undefined } };
  }
  const isComing = health?.status === 'Progressing' || health?.status === 'Degraded' || health?.status === 'Missing';
  return { closesWaves: phase !== undefined, ...(!isComing && { ending: 'done' as const }) };
}
