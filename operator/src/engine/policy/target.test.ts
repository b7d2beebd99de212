import assert from 'node:assert/strict';
import test from 'node:test';
import type { Application, ApplicationSource, OperationState } from '@mooring/crds';
import { isSameSource, specTarget, targetOf } from './target.ts';

const source: ApplicationSource = { repoURL: 'https://git.example.com/shop.git', path: 'prod', targetRevision: 'main' };
const old: ApplicationSource = { ...source, path: 'old' };

function app(changes: Partial<Application> = {}, spec: Partial<Application['spec']> = {}): Application {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop', namespace: 'argocd' },
    spec: { project: 'default', source, destination: { server: 'https://a' }, ...spec },
    ...changes,
  };
}

function running(changes: Partial<OperationState>): Pick<Application, 'status'> {
  const state: OperationState = {
    operation: { sync: {} },
    phase: 'Running',
    startedAt: '2026-01-01T00:00:00Z',
    ...changes,
  };
  return { status: { operationState: state } };
}

const finishedAt = '2026-01-01T00:01:00Z';
const result = { revision: 'c1', source };
const cases: readonly [what: string, app: Application, target: { revision: string; ofSpec: boolean; path?: string }][] =
  [
    ['what the spec says', app(), { revision: 'main', ofSpec: true }],
    [
      'HEAD where the spec names no revision',
      app({}, { source: { repoURL: 'x', path: 'prod' } }),
      { revision: 'HEAD', ofSpec: true },
    ],
    [
      'the one source of a list, rather than the single one',
      app({}, { sources: [old] }),
      { revision: 'main', ofSpec: true, path: 'old' },
    ],
    [
      'the revision that is asked for',
      app({ operation: { sync: { revision: 'v1' } } }),
      { revision: 'v1', ofSpec: false },
    ],
    [
      'the revision that is asked for, which is that of the spec',
      app({ operation: { sync: { revision: 'main' } } }),
      { revision: 'main', ofSpec: true },
    ],
    [
      'the source of a rollback',
      app({ operation: { sync: { revision: 'c0', source: old } } }),
      { revision: 'c0', ofSpec: false, path: 'old' },
    ],
    [
      'the branch of a rollback without a revision',
      app({ operation: { sync: { source: { ...source, targetRevision: 'dev' } } } }),
      { revision: 'dev', ofSpec: false },
    ],
    ['the commit of the operation under way', app(running({ syncResult: result })), { revision: 'c1', ofSpec: false }],
    [
      'the source of the operation under way',
      app(running({ syncResult: { revision: 'c1', source: old } })),
      { revision: 'c1', ofSpec: false, path: 'old' },
    ],
    [
      'the operation under way, whatever else is asked for',
      app({ ...running({ syncResult: result }), operation: { sync: { revision: 'v2' } } }),
      { revision: 'c1', ofSpec: false },
    ],
    [
      'the commit of a manual operation that waits for its next try',
      app(running({ syncResult: result, finishedAt })),
      { revision: 'c1', ofSpec: false },
    ],
    [
      'the newest commit where the next try asks for it',
      app(
        running({
          syncResult: result,
          finishedAt,
          operation: { sync: { revision: 'c1' }, retry: { limit: 2, refresh: true } },
        }),
      ),
      { revision: 'main', ofSpec: true },
    ],
    [
      'the newest commit while an automated operation waits for its next try',
      app(
        running({
          syncResult: result,
          finishedAt,
          operation: { sync: { revision: 'c1' }, initiatedBy: { automated: true } },
        }),
      ),
      { revision: 'main', ofSpec: true },
    ],
    [
      'the spec once an operation is over',
      app(running({ phase: 'Failed', syncResult: result, finishedAt })),
      { revision: 'main', ofSpec: true },
    ],
  ];
for (const [what, given, { path = 'prod', ...expected }] of cases) {
  test(`a pass looks at ${what}`, () => {
    const target = targetOf(given);
    assert.deepEqual(
      { revision: target.revision, ofSpec: target.ofSpec, path: target.source.path },
      { ...expected, path },
    );
  });
}

test('an operation of the very source names the revision of the spec, so that their commits can be compared', () => {
  const spec = app().spec.source;
  assert.ok(spec !== undefined);
  const at = (source: ApplicationSource) =>
    targetOf(app(running({ syncResult: { revision: 'c1', source } }))).specRevision;
  assert.equal(at(spec), 'main');
  assert.equal(at({ ...spec, path: 'old' }), undefined);
  assert.equal(at({ ...spec, targetRevision: 'v1' }), undefined);
  assert.equal(targetOf(app()).specRevision, undefined);
});

test('the options of an operation rule out those of the policy', () => {
  const policy = { syncPolicy: { syncOptions: ['Replace=true'] } };
  assert.deepEqual(targetOf(app({}, policy)).syncOptions, ['Replace=true']);
  assert.deepEqual(targetOf(app({ operation: { sync: { syncOptions: ['Force=true'] } } }, policy)).syncOptions, [
    'Force=true',
  ]);
});

test('an operation may bring its manifests along, and then says nothing of the spec', () => {
  const manifests = ['{"kind":"ConfigMap"}'];
  const target = targetOf(app({ operation: { sync: { revision: 'main', manifests } } }));
  assert.deepEqual(target.manifests, manifests);
  assert.equal(target.ofSpec, false);
  assert.equal(targetOf(app({ operation: { sync: { manifests: [] } } })).manifests, undefined);
});

const invalid: readonly [Partial<Application['spec']>, RegExp][] = [
  [{ sources: [source, old] }, /more than one source/],
  [{ source: { repoURL: '', path: '.' } }, /source\.repoURL and either .* are required/],
  [{ source: { repoURL: source.repoURL } }, /spec\.source\.path or spec\.source\.chart are required/],
  [{ source: { repoURL: 'https://charts', chart: 'web' } }, /chart of a Helm registry/],
];
for (const [spec, message] of invalid) {
  test(`a source is refused: ${message.source}`, () => {
    assert.throws(() => targetOf(app({}, spec)), { code: 'spec-invalid', message });
  });
}

test('sources are the same whatever revision they name', () => {
  assert.equal(isSameSource(source, { ...source, targetRevision: 'HEAD' }), true);
  assert.equal(isSameSource(source, { ...source, helm: { releaseName: 'x' } }), false);
  assert.equal(isSameSource(undefined, source), false);
});

test('a prefix of tags that is not supported stops who uses it', () => {
  const source = { repoURL: 'https://git.example.com/shop.git', path: 'prod', tagPrefix: 'web/' };
  const app = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop' },
    spec: { project: 'default', source, destination: {} },
  } as const;
  assert.throws(() => targetOf(app), { code: 'spec-invalid', message: /^tagPrefix of the source is "web\/"/ });
  const { tagPrefix: _, ...plain } = source;
  const brought = { ...app, spec: { ...app.spec, source: plain }, operation: { sync: { source } } };
  assert.throws(() => targetOf(brought), { code: 'spec-invalid' });
  assert.doesNotThrow(() => targetOf({ ...app, spec: { ...app.spec, source: { ...source, tagPrefix: '' } } }));
});

test('a path that no file system takes is refused, also where an operation brings it along', () => {
  const long = { ...source, path: 'a/'.repeat(2_049) };
  const message = 'spec.source.path is longer than 4096 characters; shorten it';
  assert.throws(() => targetOf(app({ spec: { project: 'default', source: long, destination: {} } })), { message });
  assert.throws(() => targetOf(app({ operation: { sync: { source: long } } })), { code: 'spec-invalid', message });
});

test('what the spec asks for is the same whatever an operation works on', () => {
  const busy = app({ operation: { sync: { revision: 'v1', source: old } }, ...running({ syncResult: result }) });
  assert.deepEqual(specTarget(busy), { source, revision: 'main', ofSpec: true, syncOptions: [] });
  assert.equal(targetOf(busy).revision, 'c1');
});
