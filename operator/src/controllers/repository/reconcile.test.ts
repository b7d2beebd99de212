import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Application, AppProject } from '@mooring/crds';
import { Fault } from '../../model/fault.ts';
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

/** Looks at the repository once for these Applications. Answers which projects Git was asked for, and who was woken. */
async function look(apps: readonly Application[]): Promise<{ readonly asked: string[]; readonly woken: string[] }> {
  const projects = [projectOf('open', ['*']), projectOf('closed', ['*', '!https://git.example.com/*'])];
  const asked: string[] = [];
  const woken: string[] = [];
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
    git: {
      resolve: async ({ username }: { username: string }) => {
        asked.push(username);
        throw new Fault('repository-unreachable', 'no server');
      },
    },
    telemetry: { tracer: { now: () => 1 }, log: { debug: () => {}, info: () => {} } },
  };
  await reconcileRepository(apps, world as unknown as World, {
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

test('however they spell it, Applications share one repository; what is no address has none', () => {
  const other = application('a', 'open', 'https://u@GIT.example.com:443//shop/');
  assert.equal(repositoryKey(other), repositoryKey(application('b', 'open')));
  assert.equal(repositoryKey(application('c', 'open', 'https://git.example.com/a/../shop')), undefined);
  assert.equal(repositoryKey(application('c', 'open', '/'.repeat(50_000))), undefined);
});
