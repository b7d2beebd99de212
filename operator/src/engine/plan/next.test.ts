import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Health } from '../../model/health.ts';
import type { LiveRecord } from '../../model/live.ts';
import type { Next, Outcome, Progress, SyncPlan, TaskResult } from '../../model/plan.ts';
import { keyText } from '../../model/resource-key.ts';
import { fold, type NextView, next, observeTasks } from './next.ts';
import { plan } from './plan.ts';
import { creation, planOf, record, request, wanted } from './testdata/objects.ts';

const noDelay = { sinceLastWaveMs: Number.POSITIVE_INFINITY, waveDelayMs: 2_000 };
const applied: TaskResult = { status: 'Synced', message: 'applied', hookPhase: 'Running' };
const pruned: TaskResult = { status: 'Pruned', message: 'pruned', hookPhase: 'Succeeded' };
const refused: TaskResult = { status: 'SyncFailed', message: 'no', hookPhase: 'Failed' };

/** A sync that is carried as far as it goes: which objects are refused, and how healthy the others are. */
interface Course {
  readonly refuse?: readonly string[];
  readonly health?: Readonly<Record<string, Health | 'gone'>>;
  readonly sinceLastWaveMs?: number;
}

/** Runs steps until the sync waits or ends; answers what was run, rank by rank, and how it stopped. */
function carry(
  plan: SyncPlan,
  course: Course,
  from: Progress = new Map(),
): { ran: string[]; stop: Next; progress: Progress; steps: readonly Progress[] } {
  const live = new Map<string, LiveRecord>();
  for (const { key } of plan.tasks) {
    const health = course.health?.[key.name];
    if (health !== 'gone') live.set(keyText(key), record(key, { health }));
  }
  const view: NextView = {
    live,
    ...noDelay,
    ...(course.sinceLastWaveMs !== undefined && { sinceLastWaveMs: course.sinceLastWaveMs }),
  };
  const ran: string[] = [];
  const steps: Progress[] = [from];
  let progress = from;
  for (;;) {
    progress = observeTasks(plan, progress, view);
    const step = next(plan, progress, view);
    if (step.do !== 'run') return { ran, stop: step, progress, steps };
    assert.ok(step.tasks.length > 0, 'a step runs something');
    ran.push(step.tasks.map(({ key }) => key.name).join('+'));
    const outcomes: Outcome[] = step.tasks.map((task) => {
      if (course.refuse?.includes(task.key.name)) return { task, result: refused };
      return { task, result: task.action === 'prune' || task.action === 'skip' ? pruned : applied };
    });
    progress = fold(progress, outcomes);
    steps.push(progress);
  }
}

const succeeded = { do: 'finish', phase: 'Succeeded', message: 'successfully synced (all tasks run)' };
const progressing: Health = { status: 'Progressing' };
const cases: readonly {
  readonly it: string;
  readonly objects: readonly string[];
  readonly gone?: readonly string[];
  readonly course?: Course;
  readonly ran: readonly string[];
  readonly stop: object;
}[] = [
  {
    it: 'of nothing is over',
    objects: [],
    ran: [],
    stop: { do: 'finish', phase: 'Succeeded', message: 'successfully synced (no more tasks)' },
  },
  {
    it: 'that ends with a hook has no more tasks',
    objects: ['ConfigMap a', 'Job b hook=PostSync'],
    course: { health: { b: { status: 'Healthy' } } },
    ran: ['a', 'b'],
    stop: { do: 'finish', phase: 'Succeeded', message: 'successfully synced (no more tasks)' },
  },
  {
    it: 'of one step is over when everything is applied, healthy or not',
    objects: ['Deployment a', 'ConfigMap b'],
    course: { health: { a: progressing } },
    ran: ['b', 'a'],
    stop: succeeded,
  },
  {
    it: 'applies objects of one kind at once',
    objects: ['ConfigMap a', 'ConfigMap b', 'Deployment c'],
    ran: ['a+b', 'c'],
    stop: succeeded,
  },
  {
    it: 'waits for each wave to be healthy',
    objects: ['Deployment a', 'ConfigMap b wave=1'],
    course: { health: { a: progressing } },
    ran: ['a'],
    stop: { do: 'wait', reason: 'waiting for healthy state of apps/Deployment/a' },
  },
  {
    it: 'names the first object that it waits for and counts the others',
    objects: ['Deployment a', 'Deployment b', 'Deployment c', 'Deployment d', 'ConfigMap z wave=1'],
    course: { health: { a: progressing, b: progressing, c: progressing, d: progressing } },
    ran: ['a+b+c+d'],
    stop: {
      do: 'wait',
      reason: 'waiting for healthy state of apps/Deployment/a and 3 more resources',
    },
  },
  {
    it: 'goes on where a wave is healthy or of kinds without health',
    objects: ['Deployment a', 'ConfigMap b', 'ConfigMap c wave=1'],
    course: { health: { a: { status: 'Healthy' } } },
    ran: ['b', 'a', 'c'],
    stop: succeeded,
  },
  {
    it: 'is over when the last wave is applied, healthy or not',
    objects: ['ConfigMap a', 'Deployment b wave=1'],
    course: { health: { b: progressing } },
    ran: ['a', 'b'],
    stop: succeeded,
  },
  {
    it: 'waits for the last wave where that has a hook',
    objects: ['ConfigMap a', 'Deployment b wave=1', 'Job c hook=Sync wave=1'],
    course: { health: { b: progressing, c: { status: 'Healthy' } } },
    ran: ['a', 'b', 'c'],
    stop: { do: 'wait', reason: 'waiting for healthy state of apps/Deployment/b' },
  },
  {
    it: 'fails where a wave gets worse',
    objects: ['Deployment a', 'ConfigMap b wave=1'],
    course: { health: { a: { status: 'Degraded', message: 'crashes' } } },
    ran: ['a'],
    stop: {
      do: 'finish',
      phase: 'Failed',
      message: 'one or more synchronization tasks completed unsuccessfully, reason: Deployment/shop/a: crashes',
    },
  },
  {
    it: 'waits for what is suspended or unknown, as it is for people to end that',
    objects: ['Deployment a', 'Deployment b', 'ConfigMap c wave=1'],
    course: { health: { a: { status: 'Suspended' }, b: { status: 'Unknown' } } },
    ran: ['a+b'],
    stop: { do: 'wait', reason: 'waiting for healthy state of apps/Deployment/a and 1 more resources' },
  },
  {
    it: 'fails for a hook whose health is unknown',
    objects: ['Job a hook=PreSync', 'ConfigMap b'],
    course: { health: { a: { status: 'Unknown', message: 'who knows' } } },
    ran: ['a'],
    stop: {
      do: 'finish',
      phase: 'Failed',
      message: 'one or more synchronization tasks completed unsuccessfully, reason: Job/shop/a: who knows',
    },
  },
  {
    it: 'fails where an object goes before it is done',
    objects: ['Job a hook=PreSync', 'ConfigMap b'],
    course: { health: { a: 'gone' } },
    ran: ['a'],
    stop: {
      do: 'finish',
      phase: 'Failed',
      message:
        'one or more synchronization tasks completed unsuccessfully, reason: Job/shop/a: Resource batch/Job/a is missing, it might have been deleted before it was done',
    },
  },
  {
    it: 'waits for hooks, also of a single phase',
    objects: ['Job a hook=Sync', 'ConfigMap b'],
    course: { health: { a: progressing } },
    ran: ['b', 'a'],
    stop: { do: 'wait', reason: 'waiting for completion of hook batch/Job/a' },
  },
  {
    it: 'runs the rest of a rank and nothing after it once something is refused, then the hooks for failures',
    objects: ['ConfigMap a', 'ConfigMap b', 'Deployment c', 'Job d hook=SyncFail', 'Job e hook=PostSync'],
    course: { refuse: ['a'] },
    ran: ['a+b', 'd'],
    stop: {
      do: 'finish',
      phase: 'Failed',
      message: 'one or more objects failed to apply, reason: ConfigMap/shop/a: no',
    },
  },
  {
    it: 'does not call a refused prune an apply',
    objects: ['ConfigMap a'],
    gone: ['ConfigMap b'],
    course: { refuse: ['b'] },
    ran: ['b'],
    stop: {
      do: 'finish',
      phase: 'Failed',
      message: 'one or more objects could not be pruned, reason: ConfigMap/shop/b: no',
    },
  },
  {
    it: 'waits for the hooks for failures',
    objects: ['ConfigMap a', 'Job d hook=SyncFail'],
    course: { refuse: ['a'], health: { d: progressing } },
    ran: ['a', 'd'],
    stop: { do: 'wait', reason: 'waiting for completion of hook batch/Job/d' },
  },
  {
    it: 'tells both where a hook for failures fails as well',
    objects: ['ConfigMap a', 'Job d hook=SyncFail', 'Job e hook=SyncFail wave=1'],
    course: { refuse: ['a', 'd'] },
    ran: ['a', 'd'],
    stop: {
      do: 'finish',
      phase: 'Failed',
      message:
        'one or more objects failed to apply, reason: ConfigMap/shop/a: no\none or more SyncFail hooks failed, reason: Job/shop/d: no',
    },
  },
  {
    it: 'lets hooks that run come to their end before it runs those for failures',
    objects: ['Job a hook=PreSync', 'Job b hook=PreSync', 'Job c hook=SyncFail', 'ConfigMap d'],
    course: { refuse: ['a'], health: { b: progressing } },
    ran: ['a+b'],
    stop: { do: 'wait', reason: 'waiting for completion of hook batch/Job/b' },
  },
  {
    it: 'waits for a definition before anything that comes after it in its wave, and looks again by itself',
    objects: ['CustomResourceDefinition widgets', 'Widget a'],
    course: { health: { widgets: progressing } },
    ran: ['widgets'],
    stop: {
      do: 'wait',
      reason: 'waiting for healthy state of apiextensions.k8s.io/CustomResourceDefinition/widgets',
      forMs: 1_000,
    },
  },
  {
    it: 'does what may be done before it waits for a confirmation',
    objects: ['ConfigMap a'],
    gone: ['ConfigMap old options=Prune:confirm', 'ConfigMap older'],
    ran: ['older', 'a'],
    stop: { do: 'wait', reason: 'waiting for pruning confirmation of /ConfigMap/old' },
  },
  {
    it: 'waits for definitions also where a confirmation is missing',
    objects: ['CustomResourceDefinition widgets', 'Widget a'],
    gone: ['ConfigMap old options=Prune:confirm'],
    course: { health: { widgets: progressing } },
    ran: ['widgets'],
    stop: {
      do: 'wait',
      reason: 'waiting for healthy state of apiextensions.k8s.io/CustomResourceDefinition/widgets',
      forMs: 1_000,
    },
  },
  {
    it: 'does not wait for what it leaves alone',
    objects: ['ConfigMap a wave=1'],
    gone: ['ConfigMap old options=Prune:false'],
    ran: ['old', 'a'],
    stop: succeeded,
  },
  {
    it: 'gives other controllers a moment between waves',
    objects: ['ConfigMap a', 'ConfigMap b wave=1'],
    course: { sinceLastWaveMs: 500 },
    ran: ['a'],
    stop: { do: 'wait', reason: 'waiting before the next wave', forMs: 1_500 },
  },
  {
    it: 'does not believe the health of a wave that was applied just now',
    objects: ['Deployment a', 'ConfigMap b wave=1'],
    course: { sinceLastWaveMs: 500, health: { a: { status: 'Degraded' } } },
    ran: ['a'],
    stop: { do: 'wait', reason: 'waiting for healthy state of apps/Deployment/a', forMs: 1_500 },
  },
];

test('a sync of something that the project forbids applies nothing, and runs no hook', () => {
  const objects = [
    wanted('ConfigMap a'),
    wanted('Secret b wave=1', { forbidden: 'no Secrets here' }),
    wanted('Job c hook=PreSync'),
    wanted('Job d hook=SyncFail'),
  ];
  const changes = objects.filter(({ hook }) => hook === undefined).map(creation);
  const { ran, stop } = carry(plan({ objects, warnings: [] }, { changes }, new Map(), request), { refuse: ['b'] });
  const message = 'one or more synchronization tasks are not valid: Secret/shop/b: no';
  assert.deepEqual([ran, stop], [['b'], { do: 'finish', phase: 'Failed', message }]);
});

for (const { it, objects, gone, course, ran, stop } of cases) {
  test(`a sync ${it}`, () => {
    const carried = carry(planOf(objects, gone), course ?? {});
    assert.deepEqual({ ran: carried.ran, stop: carried.stop }, { ran, stop });
  });
}

const objects = fc.uniqueArray(
  fc.record({
    kind: fc.constantFrom('ConfigMap', 'Deployment', 'Job', 'CustomResourceDefinition', 'Widget'),
    name: fc.constantFrom(...'abcdefghijkl'),
    wave: fc.integer({ min: -2, max: 2 }),
    hook: fc.constantFrom('', '', '', 'PreSync', 'Sync', 'PostSync', 'SyncFail', 'PreSync,PostSync'),
  }),
  { selector: ({ name }) => name, maxLength: 12 },
);

function textOf({ kind, name, wave, hook }: { kind: string; name: string; wave: number; hook: string }): string {
  return `${kind} ${name} wave=${wave}${hook === '' ? '' : ` hook=${hook}`}`;
}

test('a sync runs each task once, in the order of phases and waves, and ends', () => {
  fc.assert(
    fc.property(objects, fc.subarray(['a', 'b', 'c', 'd', 'e']), (wanted, refuse) => {
      const plan = planOf(wanted.map(textOf));
      const { ran, stop, progress } = carry(plan, { refuse });
      assert.equal(stop.do, 'finish');
      const done = plan.tasks.filter((task) => progress.has(task.id));
      assert.equal(ran.flatMap((step) => step.split('+')).filter((name) => name !== '').length, done.length);
      const isBroken = [...progress.values()].some(({ hookPhase }) => hookPhase === 'Failed');
      assert.equal(stop.do === 'finish' && stop.phase, isBroken ? 'Failed' : 'Succeeded');
      if (isBroken) return;
      assert.deepEqual(
        done.map(({ id }) => id),
        plan.tasks.filter(({ phase }) => phase !== 'SyncFail').map(({ id }) => id),
      );
    }),
  );
});

test('a sync that is taken up again from any point does what it would have done', () => {
  fc.assert(
    fc.property(objects, fc.subarray(['a', 'b', 'c']), fc.nat(), (wanted, refuse, cut) => {
      const plan = planOf(wanted.map(textOf));
      const whole = carry(plan, { refuse });
      // After any step the process may have died.
      const from = whole.steps[cut % whole.steps.length] ?? new Map();
      const rest = carry(planOf(wanted.map(textOf)), { refuse }, from);
      assert.deepEqual(rest.stop, whole.stop);
      assert.deepEqual(new Map([...rest.progress].sort()), new Map([...whole.progress].sort()));
    }),
  );
});
