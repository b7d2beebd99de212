import assert from 'node:assert/strict';
import test from 'node:test';
import type { Application } from '@mooring/crds';
import type { StoreChange } from '../../world/store.ts';
import { indexUsers } from './users.ts';

function application(name: string, repoURL: string): Application {
  return { metadata: { namespace: 'argocd', name }, spec: { source: { repoURL } } } as Application;
}

test('users come, move to another repository and go with their Applications', () => {
  const apps = new Map<string, Application>([['a', application('a', 'https://git.example.com/one')]]);
  const listeners: ((change: StoreChange) => void)[] = [];
  const index = indexUsers({
    applications: () => [...apps.values()],
    application: ({ name }) => apps.get(name),
    subscribe: (listener) => {
      listeners.push(listener);
      return () => {};
    },
  });
  const put = (name: string, app: Application | undefined): void => {
    if (app === undefined) apps.delete(name);
    else apps.set(name, app);
    for (const listener of listeners) listener({ kind: 'Application', name: { namespace: 'argocd', name } });
  };
  const [one, two] = ['git.example.com/one', 'git.example.com/two'].map((path) => `https://${path}`);
  const of = (repository = ''): readonly (string | undefined)[] =>
    index.of(repository).map(({ metadata }) => metadata.name);
  assert.deepEqual(of(one), ['a']);
  put('b', application('b', `${one}.git`));
  assert.deepEqual(of(one), ['a', 'b']);
  put('a', application('a', 'https://git.example.com/two'));
  assert.deepEqual([of(one), of(two)], [['b'], ['a']]);
  put('b', undefined);
  put('a', application('a', 'https://git.example.com/two'));
  assert.deepEqual([of(one), of(two)], [[], ['a']]);
});
