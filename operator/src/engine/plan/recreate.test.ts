import assert from 'node:assert/strict';
import test from 'node:test';
import { keyText } from '../../model/resource-key.ts';
import { plan } from './plan.ts';
import { record, request, same, wanted } from './testdata/objects.ts';

const both = 'options=Replace:true+Force:true';
const cases: readonly [object: string, owner: string | undefined, force: boolean, refusal: RegExp | undefined][] = [
  [`ConfigMap a ${both}`, 'shop', false, undefined],
  [`ConfigMap a ${both}`, undefined, false, undefined],
  [
    `ConfigMap a ${both}`,
    'bank',
    false,
    /^Force=true .* ConfigMap\/shop\/a, which is part of application bank; set Repl/,
  ],
  ['ConfigMap a options=Replace:true', 'team_bank', true, /which is part of application team\/bank/],
  ['ConfigMap a options=Replace:true', 'bank', false, undefined],
  ['ConfigMap a options=Force:true', 'bank', false, undefined],
  ['ConfigMap a', 'bank', true, undefined],
  [`Namespace a ${both}`, 'shop', false, /would delete Namespace\/a and everything in it; set Replace=false/],
  [`Namespace a ${both}`, undefined, false, /everything in it/],
  ['Namespace a options=Replace:true', 'bank', false, undefined],
  [`CustomResourceDefinition a ${both}`, 'shop', false, undefined],
];

for (const [text, app, force, refusal] of cases) {
  test(`${text} of ${app ?? 'nobody'} is ${refusal ? 'not ' : ''}deleted to be created anew${force ? ', forced' : ''}`, () => {
    const desired = wanted(text);
    const live = record(desired.key, { app });
    const changes = [{ ...same(desired), live }, same(wanted('ConfigMap beside'))];
    const { tasks } = plan({ objects: [desired], warnings: [] }, { changes }, new Map(), {
      ...request,
      tracking: 'shop',
      force,
    });
    const task = tasks.find(({ key }) => key.name === 'a');
    assert.equal(task?.action, refusal === undefined ? 'apply' : 'refuse');
    assert.match(task?.refusal ?? '', refusal ?? /^$/);
  });
}

const hooks: readonly [owner: string | undefined, isHookThere: boolean, refused: boolean][] = [
  ['shop', true, false],
  [undefined, false, false],
  ['bank', true, false],
  ['bank', false, true],
];

for (const [app, isHookThere, refused] of hooks) {
  test(`a hook ${refused ? 'does not take' : 'takes'} the place of ${isHookThere ? 'a hook' : 'an object'} of ${app ?? 'nobody'}`, () => {
    const hook = wanted('ConfigMap a hook=PreSync');
    const hints = isHookThere ? { 'argocd.argoproj.io/hook': 'PreSync' } : undefined;
    const live = new Map([[keyText(hook.key), record(hook.key, { app, hints })]]);
    const { tasks } = plan({ objects: [hook], warnings: [] }, { changes: [] }, live, { ...request, tracking: 'shop' });
    assert.equal(tasks[0]?.action, refused ? 'refuse' : 'apply');
    assert.match(
      tasks[0]?.refusal ?? '',
      refused ? /the hook ConfigMap\/shop\/a would take .* application bank/ : /^$/,
    );
  });
}

test('a Namespace that is a hook is not replaced by force either', () => {
  const hook = { phases: ['PreSync' as const], deletePolicies: ['HookSucceeded' as const] };
  const namespace = wanted(`Namespace a ${both}`, { hook });
  const live = new Map([[keyText(namespace.key), record(namespace.key)]]);
  const { tasks } = plan({ objects: [namespace], warnings: [] }, { changes: [] }, live, {
    ...request,
    tracking: 'shop',
  });
  assert.match(tasks[0]?.refusal ?? '', /everything in it/);
});
