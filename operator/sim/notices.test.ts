import assert from 'node:assert/strict';
import test from 'node:test';
import type { KubeObject } from '@mooring/renderer-contract';
import { commit, quietWorld } from './quiet-world.ts';

const now = '2026-12-01T05:30:00Z';
const at = (minutes: number): number => Date.parse(now) + minutes * 60_000;
const automated = { automated: { prune: true, selfHeal: true }, retry: { limit: 2 } };
const source = { repoURL: 'https://git.example.com/shop.git', path: 'prod', targetRevision: 'main' };
const spec = {
  project: 'default',
  source,
  destination: { server: 'https://kubernetes.default.svc', namespace: 'shop' },
  syncPolicy: automated,
};
const config: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'web' }, data: { a: '1' } };

/** How often each was told. */
function counted(notices: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const notice of notices) counts.set(notice, (counts.get(notice) ?? 0) + 1);
  return counts;
}

test('what cannot be compared is a warning with the reason, the same one each time that it is tried', async () => {
  let isDown = false;
  const world = quietWorld({ now, manifests: [config], app: { spec }, faults: { gitDown: () => isDown } });
  await world.clock.passUntil(at(1));
  assert.equal(world.shop().status?.sync?.status, 'Synced');
  assert.deepEqual(
    world.journal.notices.filter((notice) => notice.startsWith('Warning')),
    [],
  );
  isDown = true;
  commit(world.repository, [{ ...config, data: { a: '2' } }]);
  world.store.patch(world.shop(), { metadata: { annotations: { 'argocd.argoproj.io/refresh': 'normal' } } }, 'user');
  await world.clock.passUntil(at(11));
  const warnings = counted(world.journal.notices.filter((notice) => notice.startsWith('Warning')));
  const [told, ...others] = [...warnings];
  assert.match(
    told?.[0] ?? '',
    /^Warning ComparisonError Failed to load target state: .*the Git server cannot be reached$/,
  );
  assert.ok((told?.[1] ?? 0) > 5, `told ${told?.[1]} times`);
  assert.deepEqual(others, []);
  assert.deepEqual(world.journal.violations, []);
});

test('a sync that fails warns of each try and of its end, which says that nothing is tried again', async () => {
  const world = quietWorld({ now, manifests: [config], app: { spec }, faults: { refuses: () => true } });
  await world.clock.passUntil(at(10));
  const warnings = [...counted(world.journal.notices.filter((notice) => notice.startsWith('Warning')))];
  const id = world.repository.resolve('main');
  const why = 'one or more objects failed to apply, reason: ConfigMap/shop/web: .*refused by a webhook';
  assert.equal(warnings.length, 2, warnings.join('\n'));
  assert.match(
    warnings[0]?.[0] ?? '',
    new RegExp(`^Warning OperationRetried Sync operation to ${id} failed, and .*${why}`),
  );
  assert.equal(warnings[0]?.[1], 2);
  assert.match(
    warnings[1]?.[0] ?? '',
    new RegExp(`^Warning OperationCompleted Sync operation to ${id} failed: ${why}`),
  );
  assert.match(
    warnings[1]?.[0] ?? '',
    /\(retried 2 times\)\. This revision is not tried again: mend the cause and push it/,
  );
  assert.match(world.shop().status?.conditions?.[0]?.message ?? '', /^Failed last sync attempt .* is not tried again/);
  assert.deepEqual(world.journal.violations, []);
});
