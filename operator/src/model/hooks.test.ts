import assert from 'node:assert/strict';
import test from 'node:test';
import { type HookRole, hookRole, waveOf } from './hooks.ts';

const hook = (phases: readonly string[], deletePolicies: readonly string[] = ['BeforeHookCreation']) =>
  ({ role: 'hook', hook: { phases, deletePolicies } }) as HookRole;

const argo = 'argocd.argoproj.io/hook';
const helm = 'helm.sh/hook';

const cases: readonly [annotations: Record<string, string> | undefined, expected: HookRole][] = [
  [undefined, { role: 'none' }],
  [{}, { role: 'none' }],
  [{ [argo]: 'PreSync' }, hook(['PreSync'])],
  [{ [argo]: 'PreSync, PostSync,PreSync' }, hook(['PreSync', 'PostSync'])],
  [{ [argo]: 'Skip' }, { role: 'skip' }],
  [{ [argo]: 'Skip,Sync' }, hook(['Sync'])],
  [{ [argo]: 'Someday' }, { role: 'ignored' }],
  [{ [helm]: 'pre-install,pre-upgrade' }, hook(['PreSync'])],
  [{ [helm]: 'post-install' }, hook(['PostSync'])],
  [{ [helm]: 'post-delete' }, hook(['PostDelete'])],
  [{ [helm]: 'crd-install' }, { role: 'none' }],
  [{ [helm]: 'test' }, { role: 'ignored' }],
  [{ [helm]: 'pre-rollback' }, { role: 'ignored' }],
  [{ [helm]: 'test,post-install' }, hook(['PostSync'])],
  [{ [helm]: 'pre-install', [argo]: 'PostSync' }, hook(['PostSync'])],
  [{ [helm]: 'test', [argo]: 'Sync' }, hook(['Sync'])],
  [
    { [argo]: 'Sync', 'argocd.argoproj.io/hook-delete-policy': 'HookSucceeded,HookFailed' },
    hook(['Sync'], ['HookSucceeded', 'HookFailed']),
  ],
  [{ [helm]: 'pre-install', 'helm.sh/hook-delete-policy': 'hook-succeeded' }, hook(['PreSync'], ['HookSucceeded'])],
];

for (const [annotations, expected] of cases) {
  test(`the hook of ${JSON.stringify(annotations)}`, () => {
    assert.deepEqual(hookRole(annotations), expected);
  });
}

test('the wave is that of Argo CD, else the weight of Helm, else 0', () => {
  const wave = 'argocd.argoproj.io/sync-wave';
  const weight = 'helm.sh/hook-weight';
  assert.equal(waveOf(undefined), 0);
  assert.equal(waveOf({ [wave]: '-5' }), -5);
  assert.equal(waveOf({ [wave]: '3', [weight]: '7' }), 3);
  assert.equal(waveOf({ [wave]: 'soon', [weight]: '7' }), 7);
  assert.equal(waveOf({ [weight]: '1.5' }), 0);
});
