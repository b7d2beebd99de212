import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as rest } from 'node:timers/promises';
import type { Application, AppProject } from '@mooring/crds';
import { Fault } from '../../model/fault.ts';
import type { GitTree } from '../../world/git.ts';
import type { World } from '../../world/world.ts';
import { reconcileRepository } from './reconcile.ts';
import { repositoryKey } from './wake.ts';

const repoURL = 'https://git.example.com/shop.git';
const server = 'https://east';

function application(name: string, project: string, url = repoURL): Application {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace: 'argocd' },
    spec: { project, source: { repoURL: url, path: '.' }, destination: { server, namespace: name } },
  };
}

function projectOf(name: string, sourceRepos: readonly string[]): AppProject {
  const spec = { sourceRepos, destinations: [{ server, namespace: '*' }] };
  return { apiVersion: 'argoproj.io/v1alpha1', kind: 'AppProject', metadata: { name }, spec };
}

/** A world with these Applications in which Git is `git`. */
function worldOf(apps: readonly Application[], git: Partial<World['git']>): World {
  const projects = [projectOf('open', ['*']), projectOf('closed', ['*', '!https://git.example.com/*'])];
  const world = {
    clock: { now: () => 1, after: () => () => {} },
    random: { next: () => 0 },
    store: {
      applications: () => apps,
      project: (name: string) => projects.find(({ metadata }) => metadata.name === name),
      repository: (url: string, project: string) => ({ url, username: project }),
      settings: () => ({ pollIntervalMs: 60_000, pollJitterMs: 0 }),
    },
    clusters: { locate: () => ({ server, name: 'east', project: '' }) },
    git,
    renderers: { touches: async (_: unknown, { appName }: { readonly appName: string }) => appName !== 'untouched' },
    telemetry: { tracer: { now: () => 1 }, log: { debug: () => {}, info: () => {} } },
  };
  return world as unknown as World;
}

/** Looks at the repository once for these Applications. Answers which projects Git was asked for, and who was woken. */
async function look(apps: readonly Application[]): Promise<{ readonly asked: string[]; readonly woken: string[] }> {
  const asked: string[] = [];
  const woken: string[] = [];
  const resolve: World['git']['resolve'] = async ({ username = '' }) => {
    asked.push(username);
    throw new Fault('repository-unreachable', 'no server');
  };
  await reconcileRepository(apps, worldOf(apps, { resolve }), {
    outdate: () => {},
    seen: () => undefined,
    wake: ({ metadata }) => woken.push(metadata.name ?? ''),
  });
  return { asked, woken };
}

test('a repository is asked for nobody whose project forbids it, or is not there', async () => {
  const forbidden = [application('a', 'closed'), application('b', 'missing')];
  assert.deepEqual(await look(forbidden), { asked: [], woken: ['a', 'b'] });
  assert.deepEqual(await look([...forbidden, application('c', 'open')]), { asked: ['open'], woken: ['a', 'b', 'c'] });
});

test('each is woken when its own news is there, however long another one has to wait for its commit', async () => {
  const apps = ['slow', 'untouched', 'quick'].map((name) => application(name, 'open'));
  for (const { spec, metadata } of apps) if (spec.source) Object.assign(spec.source, { targetRevision: metadata.name });
  const fetched = Promise.withResolvers<void>();
  const both = Promise.withResolvers<void>();
  const woken: string[] = [];
  const world = worldOf(apps, {
    resolve: async (_, revision) => ({ commit: revision }),
    open: async (_, { commit }) => {
      if (commit === 'slow') await fetched.promise;
      return { commit } as unknown as GitTree;
    },
  });
  const done = reconcileRepository(apps, world, {
    outdate: () => {},
    seen: () => undefined,
    wake: ({ metadata }, touched) => {
      woken.push(`${metadata.name} ${touched}`);
      if (woken.length === 2) both.resolve();
    },
  });
  await Promise.race([both.promise, rest(1_000)]);
  assert.deepEqual(woken, ['untouched false', 'quick true']);
  fetched.resolve();
  await done;
  assert.deepEqual(woken.slice(2), ['slow true']);
});

test('however they spell it, Applications share one repository; what is no address has none', () => {
  const other = application('a', 'open', 'https://u@GIT.example.com:443//shop/');
  assert.equal(repositoryKey(other), repositoryKey(application('b', 'open')));
  assert.equal(repositoryKey(application('c', 'open', 'https://git.example.com/a/../shop')), undefined);
  assert.equal(repositoryKey(application('c', 'open', '/'.repeat(50_000))), undefined);
});
