import assert from 'node:assert/strict';
import test from 'node:test';
import type { SyncPlan } from '../../model/plan.ts';
import { trackingId } from '../../model/tracking.ts';
import { hookOfRun } from './hook-run.ts';
import { plan } from './plan.ts';
import { creation, leftover, planOf, record, request, same, wanted } from './testdata/objects.ts';

function lines({ tasks }: SyncPlan): string[] {
  return tasks.map(({ phase, wave, action, key }) => `${phase} ${wave} ${action} ${key.kind}/${key.name}`);
}

const layouts: readonly {
  readonly it: string;
  readonly objects: readonly string[];
  readonly gone?: readonly string[];
  readonly request?: Partial<typeof request>;
  readonly plan: readonly string[];
}[] = [
  {
    it: 'orders by phase, then wave, then kind, then name',
    objects: [
      'Job after hook=PostSync',
      'Deployment b',
      'ConfigMap z',
      'Deployment a',
      'Namespace other wave=1',
      'ConfigMap early wave=-1',
      'Job before hook=PreSync',
      'Job amid hook=Sync wave=5',
      'Job broken hook=SyncFail',
    ],
    plan: [
      'PreSync 0 apply Job/before',
      'Sync -1 apply ConfigMap/early',
      'Sync 0 apply ConfigMap/z',
      'Sync 0 apply Deployment/a',
      'Sync 0 apply Deployment/b',
      'Sync 1 apply Namespace/other',
      'Sync 5 apply Job/amid',
      'PostSync 0 apply Job/after',
      'SyncFail 0 apply Job/broken',
    ],
  },
  {
    it: 'runs a hook once for each of its phases, and never for those of deletion',
    objects: ['Job twice hook=PreSync,PostSync', 'Job end hook=PreDelete,PostDelete'],
    plan: ['PreSync 0 apply Job/twice', 'PostSync 0 apply Job/twice'],
  },
  {
    it: 'prunes in the opposite order of waves, before what is applied in the same wave',
    objects: ['ConfigMap kept'],
    gone: ['ConfigMap a wave=-1', 'ConfigMap b', 'ConfigMap c wave=3'],
    plan: [
      'Sync -1 prune ConfigMap/c',
      'Sync 0 prune ConfigMap/b',
      'Sync 0 apply ConfigMap/kept',
      'Sync 3 prune ConfigMap/a',
    ],
  },
  {
    it: 'prunes last what asks for it, after hooks of the Sync phase too',
    objects: ['ConfigMap kept wave=2', 'Job amid hook=Sync wave=7'],
    gone: ['ConfigMap old options=PruneLast:true', 'ConfigMap other'],
    plan: [
      'Sync 0 prune ConfigMap/other',
      'Sync 2 apply ConfigMap/kept',
      'Sync 7 apply Job/amid',
      'Sync 8 prune ConfigMap/old',
    ],
  },
  {
    it: 'prunes everything last where the Application says so',
    objects: ['ConfigMap kept wave=2 options=PruneLast:true'],
    gone: ['ConfigMap old'],
    plan: ['Sync 2 apply ConfigMap/kept', 'Sync 3 prune ConfigMap/old'],
  },
  {
    it: 'skips prunes that nobody asked for',
    objects: [],
    gone: ['ConfigMap old'],
    request: { prune: false },
    plan: ['Sync 0 skip ConfigMap/old'],
  },
  {
    it: 'skips what must stay, and asks where it must',
    objects: [],
    gone: ['ConfigMap a options=Prune:false', 'ConfigMap b options=Prune:confirm', 'ConfigMap c'],
    plan: ['Sync 0 skip ConfigMap/a', 'Sync 0 confirm ConfigMap/b', 'Sync 0 prune ConfigMap/c'],
  },
  {
    it: 'prunes what a person approved',
    objects: [],
    gone: ['ConfigMap b options=Prune:confirm', 'ConfigMap c options=Prune:false'],
    request: { pruneConfirmed: true },
    plan: ['Sync 0 prune ConfigMap/b', 'Sync 0 skip ConfigMap/c'],
  },
  {
    it: 'takes only what was chosen, and no hooks then',
    objects: ['ConfigMap a', 'ConfigMap b', 'Job before hook=PreSync'],
    gone: ['ConfigMap old', 'ConfigMap a-too'],
    request: { only: ({ name }) => name.startsWith('a') },
    plan: ['Sync 0 prune ConfigMap/a-too', 'Sync 0 apply ConfigMap/a'],
  },
  {
    it: 'leaves hooks out of a sync by apply',
    objects: ['ConfigMap a', 'Job before hook=PreSync'],
    request: { skipHooks: true },
    plan: ['Sync 0 apply ConfigMap/a'],
  },
  {
    it: 'names a generated hook after the run and its phase',
    objects: ['Job generate=migrate- hook=PreSync,PostSync'],
    plan: ['PreSync 0 apply Job/migrate-abc-1-presync', 'PostSync 0 apply Job/migrate-abc-1-postsync'],
  },
  {
    it: 'makes the namespace before everything else',
    objects: ['ConfigMap a', 'Job before hook=PreSync wave=-3'],
    request: { namespace: wanted('Namespace shop') },
    plan: ['PreSync -3 apply Namespace/shop', 'PreSync -3 apply Job/before', 'Sync 0 apply ConfigMap/a'],
  },
  {
    it: 'makes a namespace of a later wave where the first object of it comes',
    objects: ['Namespace shop wave=5', 'ConfigMap early', 'ConfigMap mid wave=2'],
    plan: ['Sync 0 apply Namespace/shop', 'Sync 0 apply ConfigMap/early', 'Sync 2 apply ConfigMap/mid'],
  },
  {
    it: 'makes a namespace before the first hook that is in it, and leaves one alone that nothing needs earlier',
    objects: ['Namespace shop', 'Namespace other wave=2', 'Job before hook=PreSync wave=-1', 'ConfigMap a'],
    plan: [
      'PreSync -1 apply Namespace/shop',
      'PreSync -1 apply Job/before',
      'Sync 0 apply ConfigMap/a',
      'Sync 2 apply Namespace/other',
    ],
  },
  {
    it: 'defines a kind of a later wave where the first object of it comes, and another of a later wave there',
    objects: [
      'CustomResourceDefinition widgets defines=Widget wave=3',
      'CustomResourceDefinition gadgets defines=Gadget wave=3',
      'Widget w wave=1',
      'ConfigMap a',
    ],
    plan: [
      'Sync 0 apply ConfigMap/a',
      'Sync 1 apply CustomResourceDefinition/widgets',
      'Sync 1 apply Widget/w',
      'Sync 3 apply CustomResourceDefinition/gadgets',
    ],
  },
  {
    it: 'defines a kind first that is called like a built-in one which comes early',
    objects: ['CustomResourceDefinition policies defines=NetworkPolicy', 'NetworkPolicy n', 'ConfigMap a'],
    plan: [
      'Sync 0 apply CustomResourceDefinition/policies',
      'Sync 0 apply NetworkPolicy/n',
      'Sync 0 apply ConfigMap/a',
    ],
  },
  {
    it: 'takes no hook of failures for what others need, and nothing that is pruned for what needs something',
    objects: ['Namespace shop hook=SyncFail', 'ConfigMap a wave=3', 'Namespace other wave=2'],
    gone: ['ConfigMap old'],
    plan: [
      'Sync 0 prune ConfigMap/old',
      'Sync 2 apply Namespace/other',
      'Sync 3 apply ConfigMap/a',
      'SyncFail 0 apply Namespace/shop',
    ],
  },
  {
    it: 'looks after the namespace also where nothing goes into it, as in Argo CD',
    objects: [],
    request: { namespace: wanted('Namespace shop') },
    plan: ['Sync 0 apply Namespace/shop'],
  },
  {
    it: 'looks after the namespace where there is nothing but a hook for failures',
    objects: ['Job broken hook=SyncFail'],
    request: { namespace: wanted('Namespace shop') },
    plan: ['Sync 0 apply Namespace/shop', 'SyncFail 0 apply Job/broken'],
  },
];

test('a generated hook carries a tracking id of its own, by which its end wakes the Application', () => {
  const hook = wanted('Job generate=migrate- hook=PreSync');
  const annotations = { 'argocd.argoproj.io/tracking-id': trackingId('shop', hook.key, 'shop') };
  const object = { ...hook.object, metadata: { ...hook.object.metadata, annotations } };
  const { key, object: made } = hookOfRun({ ...hook, object }, 'PreSync', 'abc-1');
  assert.equal(made.metadata.annotations?.['argocd.argoproj.io/tracking-id'], trackingId('shop', key, 'shop'));
});

test('what is moved to another phase is known by that phase, so that its result is found again', () => {
  const { tasks } = planOf(['Namespace shop', 'Job before hook=PreSync']);
  assert.deepEqual(
    tasks.map(({ id, shownPhase }) => [id, shownPhase]),
    [
      ['PreSync /Namespace//shop', undefined],
      ['PreSync batch/Job/shop/before', undefined],
    ],
  );
});

test('the namespace is shown as one of PreSync, and adds no step', () => {
  const { tasks, multiStep } = planOf(['ConfigMap a'], [], { namespace: wanted('Namespace shop') });
  const [first] = tasks;
  assert.deepEqual([first?.id, first?.shownPhase, first?.phase], ['PreSync /Namespace//shop', 'PreSync', 'Sync']);
  assert.equal(multiStep, false);
});

for (const layout of layouts) {
  test(`a plan ${layout.it}`, () => {
    assert.deepEqual(lines(planOf(layout.objects, layout.gone, layout.request)), layout.plan);
  });
}

const steps: readonly [what: string, objects: readonly string[], gone: readonly string[], multiStep: boolean][] = [
  ['one wave', ['ConfigMap a', 'Deployment b'], ['ConfigMap old'], false],
  ['two waves', ['ConfigMap a', 'Deployment b wave=1'], [], true],
  ['a hook before', ['ConfigMap a', 'Job b hook=PreSync'], [], true],
  ['a hook for failures alone', ['ConfigMap a', 'Job b hook=SyncFail'], [], false],
  ['a prune in another wave', ['ConfigMap a wave=1'], ['ConfigMap old'], true],
];
for (const [what, objects, gone, multiStep] of steps) {
  test(`a plan of ${what} ${multiStep ? 'waits' : 'does not wait'} for health`, () => {
    assert.equal(planOf(objects, gone).multiStep, multiStep);
  });
}

test('what the project forbids is refused, and what is equal already is not written', () => {
  const forbidden = wanted('ConfigMap secret', { forbidden: 'not in this project' });
  const equal = wanted('ConfigMap equal');
  const { tasks } = plan(
    { objects: [forbidden, equal], warnings: [] },
    { changes: [creation(forbidden), same(equal)] },
    new Map(),
    request,
  );
  assert.deepEqual(
    tasks.map(({ action, unchanged, key }) => [key.name, action, unchanged]),
    [
      ['equal', 'apply', true],
      ['secret', 'refuse', false],
    ],
  );
});

test('a hook carries its run, another one for each try and phase', () => {
  const runs = (run: string): unknown[] =>
    planOf(['Job twice hook=PreSync,PostSync'], [], { run }).tasks.map(
      ({ desired }) => desired?.object.metadata.annotations?.['argocd.argoproj.io/hook-run'],
    );
  assert.deepEqual(
    [...runs('abc-1'), ...runs('abc-1-1')],
    ['abc-1-presync', 'abc-1-postsync', 'abc-1-1-presync', 'abc-1-1-postsync'],
  );
});

test('a live object says itself whether it may be pruned, whatever else its options are', () => {
  for (const options of ['Prune=false', 'Replace=true, Prune=false', ' Prune=false ,PruneLast=true']) {
    const change = leftover('ConfigMap old');
    assert.ok(change.action === 'prune');
    const live = record(change.key, { hints: { 'argocd.argoproj.io/sync-options': options } });
    const { tasks } = plan({ objects: [], warnings: [] }, { changes: [{ ...change, live }] }, new Map(), request);
    assert.equal(tasks[0]?.action, 'skip', options);
  }
});

test('where a live object says nothing, the Application says whether it may be pruned, and when', () => {
  const actions = (gone: string, syncOptions: readonly string[]): unknown[] =>
    planOf([], [gone], { syncOptions }).tasks.map(({ action }) => action);
  assert.deepEqual(actions('ConfigMap old', ['Prune=false']), ['skip']);
  assert.deepEqual(actions('ConfigMap old', ['Prune=confirm']), ['confirm']);
  assert.deepEqual(actions('ConfigMap old options=Prune:true', ['Prune=false']), ['prune']);
  const { tasks } = planOf(['ConfigMap new wave=3'], ['ConfigMap old'], { syncOptions: ['PruneLast=true'] });
  assert.deepEqual(
    tasks.map(({ key, wave }) => [key.name, wave]),
    [
      ['new', 3],
      ['old', 4],
    ],
  );
});
