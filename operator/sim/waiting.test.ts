import assert from 'node:assert/strict';
import test from 'node:test';
import { automated, configMap, type QuietWorld, quietWorld } from './quiet-world.ts';

/** A good Application that is created now is synced at once, and so is its next commit. */
async function goesOn(world: QuietWorld): Promise<void> {
  world.create({ spec: automated });
  await world.until('the good one is synced', () => world.shop().status?.sync?.status === 'Synced', 2_000);
  const second = world.commit([configMap('x', '2')]);
  world.announce();
  await world.until('its next commit is', () => world.shop().status?.history?.at(-1)?.revision === second, 4_000);
  assert.deepEqual(world.journal.violations, []);
}

test('Applications of Git servers that hang keep no other Application of their cluster waiting', async () => {
  const world = quietWorld();
  world.faults.gitHangMs = (url) => (url.includes('hung') ? 90_000 : 0);
  world.commit([configMap('x', '1')]);
  for (let index = 0; index < 40; index += 1) {
    const source = { repoURL: `https://hung-${index}.example.com/shop.git`, path: 'prod', targetRevision: 'main' };
    world.create({ spec: { ...automated, source } }, { name: `hung-${index}` });
  }
  await world.pass(1_000);
  for (let index = 0; index < 40; index += 1)
    world.process.controllers.refreshRepository(`https://hung-${index}.example.com/shop.git`);
  await goesOn(world);
});

test('Applications whose renders never end keep no other Application of their cluster waiting', async () => {
  const world = quietWorld();
  world.faults.renderHangMs = (path) => (path.includes('endless') ? 600_000 : 0);
  world.commit([configMap('x', '1')]);
  for (let index = 0; index < 40; index += 1) {
    const source = { repoURL: world.repository.url, targetRevision: 'main', path: `endless-${index}` };
    world.create({ spec: { ...automated, source } }, { name: `endless-${index}` });
  }
  // Each has begun to be rendered, and has given up its place.
  await world.pass(10_000);
  await goesOn(world);
});
