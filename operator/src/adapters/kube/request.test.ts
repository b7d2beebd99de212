import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Fault } from '../../model/fault.ts';
import {
  applyObject,
  collectionPath,
  createObject,
  deleteObject,
  listPage,
  noneSeen,
  objectPath,
  patchObject,
  replaceObject,
  targetOf,
  watchFrom,
} from './request.ts';
import type { ServedKind } from './served-kind.ts';

const deployments: ServedKind = {
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  scope: 'Namespaced',
  verbs: [],
};
const nodes: ServedKind = { group: '', version: 'v1', kind: 'Node', plural: 'nodes', scope: 'Cluster', verbs: [] };
const web = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop', managedFields: [] },
  spec: { replicas: JSON.rawJSON('9007199254740993') },
};
const key = { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web' };

describe('paths', () => {
  test('of kinds, namespaces and objects', () => {
    assert.equal(collectionPath(deployments, ''), '/apis/apps/v1/deployments');
    assert.equal(collectionPath(deployments, 'shop'), '/apis/apps/v1/namespaces/shop/deployments');
    assert.equal(collectionPath(nodes, 'shop'), '/api/v1/nodes');
    assert.equal(objectPath(deployments, key), '/apis/apps/v1/namespaces/shop/deployments/web');
    assert.equal(objectPath(nodes, { ...key, name: 'system:a b' }), '/api/v1/nodes/system%3Aa%20b');
  });

  for (const name of ['', '.', '..', 'a/b']) {
    test(`no object can be called "${name}"`, () => {
      assert.throws(() => objectPath(deployments, { ...key, name }), { code: 'object-refused' });
      if (name !== '')
        assert.throws(() => objectPath(deployments, { ...key, namespace: name }), { code: 'object-refused' });
    });
  }

  test('a namespaced object without a namespace is refused with what to do', () => {
    assert.throws(
      () => objectPath(deployments, { ...key, namespace: '' }),
      (thrown: unknown) => thrown instanceof Fault && /set metadata\.namespace/.test(thrown.message),
    );
  });
});

describe('writes', () => {
  test('server-side apply is forced, ours, and sends digits as they are', () => {
    const request = applyObject(
      deployments,
      web,
      { how: 'server-side', validate: true },
      { uid: 'u1', resourceVersion: '7' },
    );
    assert.equal(
      targetOf(request),
      '/apis/apps/v1/namespaces/shop/deployments/web?fieldManager=argocd-controller&force=true&fieldValidation=Strict',
    );
    assert.equal(request.contentType, 'application/apply-patch+yaml');
    assert.equal(
      request.body,
      '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"shop","uid":"u1","resourceVersion":"7"},"spec":{"replicas":9007199254740993}}',
    );
    assert.ok(request.repeatable);
    assert.equal(web.metadata.managedFields.length, 0);
  });

  test('an apply where none was seen names a version that no object has', () => {
    const { body = '' } = applyObject(deployments, web, { how: 'server-side', validate: true }, noneSeen);
    assert.deepEqual(JSON.parse(body).metadata, { name: 'web', namespace: 'shop', resourceVersion: '1' });
  });

  test('a dry run says so, and what is not validated too', () => {
    const options = { how: 'create', validate: false, dryRun: true } as const;
    const request = createObject(deployments, web, options);
    assert.equal(
      targetOf(request),
      '/apis/apps/v1/namespaces/shop/deployments?fieldManager=argocd-controller&fieldValidation=Ignore&dryRun=All',
    );
    assert.ok(!request.repeatable, 'a second create would find the first');
  });

  test('replace names the version that it replaces', () => {
    const request = replaceObject(
      deployments,
      web,
      { uid: 'u1', resourceVersion: '7' },
      { how: 'replace', validate: true },
    );
    assert.equal(request.method, 'PUT');
    assert.deepEqual(JSON.parse(request.body ?? '').metadata, {
      name: 'web',
      namespace: 'shop',
      uid: 'u1',
      resourceVersion: '7',
    });
  });

  test('each carries the header of the span that it is made for', () => {
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const options = { how: 'server-side', validate: true, traceparent } as const;
    const requests = [
      applyObject(deployments, web, options),
      createObject(deployments, web, options),
      replaceObject(deployments, web, { uid: 'u1', resourceVersion: '7' }, options),
    ];
    for (const request of requests) assert.equal(request.traceparent, traceparent);
  });

  test('delete names the object as it was seen, and the propagation', () => {
    const seen = { uid: 'u1', resourceVersion: '7' };
    const body = JSON.parse(deleteObject(deployments, key, seen, 'orphan').body ?? '');
    assert.deepEqual(body, {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions: seen,
      propagationPolicy: 'Orphan',
    });
    assert.deepEqual(JSON.parse(deleteObject(deployments, key, seen, 'foreground', true).body ?? '').dryRun, ['All']);
  });

  test('patches are merge patches, or lists of operations', () => {
    assert.equal(patchObject(deployments, key, { a: null }, 'm').contentType, 'application/merge-patch+json');
    assert.equal(
      patchObject(deployments, key, [{ op: 'remove', path: '/a' }], 'm').contentType,
      'application/json-patch+json',
    );
  });
});

describe('lists and watches', () => {
  test('ask for pages, and for metadata alone', () => {
    const page = listPage(deployments, { namespace: '', metadataOnly: true, labelSelector: 'a in (b,c)' }, 500, 'more');
    assert.equal(targetOf(page), '/apis/apps/v1/deployments?labelSelector=a+in+%28b%2Cc%29&limit=500&continue=more');
    assert.match(page.accept, /^application\/json;as=PartialObjectMetadataList;/);
  });

  test('begin with a streaming list, or from a version', () => {
    const list = watchFrom(
      deployments,
      { namespace: 'shop', metadataOnly: false, fieldSelector: 'metadata.name=x' },
      undefined,
      300,
    );
    assert.deepEqual(list.query, {
      fieldSelector: 'metadata.name=x',
      watch: 'true',
      allowWatchBookmarks: 'true',
      timeoutSeconds: '300',
      sendInitialEvents: 'true',
      resourceVersionMatch: 'NotOlderThan',
    });
    assert.equal(list.accept, 'application/json');
    const resumed = watchFrom(deployments, { namespace: '', metadataOnly: true }, '42', 300);
    assert.deepEqual(resumed.query, {
      watch: 'true',
      allowWatchBookmarks: 'true',
      timeoutSeconds: '300',
      resourceVersion: '42',
    });
  });
});
