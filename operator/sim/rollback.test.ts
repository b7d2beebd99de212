import assert from 'node:assert/strict';
import test from 'node:test';
import { automated, configMap, quietWorld } from './quiet-world.ts';

test('a rollback of an Application that syncs by itself is refused; the newest commit may be asked for, also by its id', async () => {
  const world = quietWorld();
  const first = world.commit([configMap('x', '1')]);
  world.create({ spec: automated });
  await world.until('the first is synced', () => world.shop().status?.history?.length === 1);
  const second = world.commit([configMap('x', '2')]);
  world.announce();
  await world.until('the second is synced', () => world.shop().status?.history?.length === 2);
  const ask = async (revision: string): Promise<string> => {
    world.patch({ operation: { sync: { revision }, initiatedBy: { username: 'ann' } } });
    await world.until('it is over', () => world.shop().operation === undefined);
    await world.pass(1_000);
    const { phase, message } = world.shop().status?.operationState ?? {};
    return `${phase} ${message}`;
  };
  const { writes } = world.journal;
  assert.match(await ask(first), /^Error Cannot sync to .* auto-sync currently set to main/);
  assert.equal(world.journal.writes, writes + 1, 'only the answer is written');
  assert.equal(world.shop().status?.sync?.status, 'Synced');
  // Nobody has told of it.
  const third = world.commit([configMap('x', '3')]);
  assert.notEqual(third, second);
  assert.match(await ask(third), /^Succeeded /);
  world.patch({ spec: { syncPolicy: { automated: { enabled: false } } } });
  assert.match(await ask(first), /^Succeeded /);
});
