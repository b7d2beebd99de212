import assert from 'node:assert/strict';
import test from 'node:test';
import type { Application } from '@mooring/crds';
import { openProject } from '../../../sim/process.ts';
import { annotation } from '../../model/annotations.ts';
import { Fault } from '../../model/fault.ts';
import type { LiveRecord } from '../../model/live.ts';
import { keyText } from '../../model/resource-key.ts';
import type { World } from '../../world/world.ts';
import { type Children, childrenBehind } from './children.ts';

const key = { group: 'argoproj.io', kind: 'Application', namespace: 'argocd', name: 'child' };
const wave = { [annotation.syncWave]: '1' };
const record = { key, uid: 'u', hints: wave, health: { status: 'Healthy' } } as unknown as LiveRecord;

function child(revision: string): Application {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'child', namespace: 'argocd', uid: 'u' },
    spec: {
      project: 'default',
      source: { repoURL: 'https://git.example.com/shop.git', path: '.', targetRevision: 'main' },
      destination: { server: 'https://cluster', namespace: 'shop' },
    },
    status: { sync: { status: 'Synced', revision } },
  };
}

const children = (): Children => ({ asked: new Map(), toWake: [] });

function worldOf(app: Application | undefined, newest: () => string): World {
  const place = { server: 'https://cluster', name: 'cluster', project: '' };
  return {
    store: {
      namespace: 'argocd',
      application: () => app,
      project: () => openProject,
      repository: (url: string) => ({ url }),
      settings: () => ({}),
    },
    clusters: { locate: () => place },
    git: {
      resolve: async (_: unknown, __: unknown, notBefore: number) => ({ commit: notBefore === 0 ? newest() : '' }),
    },
  } as unknown as World;
}

test('a child counts once it was compared with the newest commit that is known', async () => {
  const behind = async (app: Application | undefined, of: LiveRecord = record): Promise<unknown> =>
    (
      await childrenBehind(
        [of],
        worldOf(app, () => 'c2'),
        children(),
      )
    ).get(keyText(key))?.health;
  const message = 'Waiting for the Application to be compared with c2';
  assert.deepEqual(await behind(child('c1')), { status: 'Progressing', message });
  assert.equal(await behind(child('c2')), undefined);
  assert.equal(await behind(child('c1'), { ...record, hints: undefined }), undefined, 'without a wave it says nothing');
  assert.equal(await behind(child('c1'), { ...record, uid: 'other' }), undefined, 'another object of that name');
  assert.equal(await behind(undefined), undefined, 'one of another cluster');
});

test('a child whose Git cannot be asked counts as it says', async () => {
  const down = (): string => {
    throw new Fault('repository-unreachable', 'down');
  };
  assert.equal((await childrenBehind([record], worldOf(child('c1'), down), children())).size, 0);
});

test('a child that is behind is asked to be looked at, once for each commit', async () => {
  const known = children();
  let newest = 'c2';
  const look = async (): Promise<readonly string[]> => {
    await childrenBehind(
      [record],
      worldOf(child('c1'), () => newest),
      known,
    );
    return known.toWake.splice(0);
  };
  assert.deepEqual([await look(), await look()], [['argocd/child'], []]);
  newest = 'c3';
  assert.deepEqual([await look(), await look()], [['argocd/child'], []]);
});
