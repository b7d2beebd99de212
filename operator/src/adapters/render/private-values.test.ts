import assert from 'node:assert/strict';
import { test } from 'node:test';
import { treeOf } from '@mooring/renderer-contract';
import { helmRenderer } from 'helm-ts-wrapper';
import { Fault } from '../../model/fault.ts';
import type { GitTree } from '../../world/git.ts';
import type { RenderRequest } from '../../world/renderer.ts';
import { systemClock } from '../time/system.ts';
import { privateValues } from './private-values.ts';
import { createRenderPool } from './render-pool.ts';

const repository = 'https://bot:t0ken%2Fof-git@git.example.com/shop.git';
const request = (helm: Readonly<Record<string, unknown>>): RenderRequest => ({
  repository,
  appName: 'shop',
  namespace: 'shop',
  path: 'chart',
  options: helm,
  renderer: 'helm',
  kubeVersion: '1.37.2',
  apiVersions: ['v1'],
  env: { ARGOCD_APP_SOURCE_REPO_URL: repository },
});

test('names tell what is private: of parameters, of values as an object and as text', () => {
  const helm = {
    releaseName: 'shop',
    parameters: [
      { name: 'db.password', value: 'p4ssw0rd-1' },
      { name: 'api.token', value: 'true' },
      { name: 'replicas', value: '3' },
    ],
    valuesObject: {
      auth: { existingSecret: 'shop-db', clientSecret: 's3cret-2', apiKeys: 'x', credentials: { a: ['s3cret-3'] } },
    },
    values: 'db:\n  - rootPassword: "s3cret-4"\n  user: shop\ntoken: s3cret-5\n',
  };
  assert.deepEqual(
    [...privateValues(request(helm))],
    [
      'p4ssw0rd-1',
      's3cret-2',
      's3cret-3',
      's3cret-4',
      's3cret-5',
      'bot:t0ken%2Fof-git',
      't0ken%2Fof-git',
      't0ken/of-git',
    ],
  );
  assert.deepEqual([...privateValues({ repository: 'ssh://git@git.example.com/shop.git', options: {} })], []);
  assert.deepEqual([...privateValues({ repository: 'git@git.example.com:shop.git', options: {} })], []);
});

test("what a chart's own fail and required say repeats nothing private of the source", async () => {
  const pool = createRenderPool({ renderers: [helmRenderer], clock: systemClock });
  const helm = {
    parameters: [
      { name: 'db.password', value: 'p4ssw0rd-1' },
      { name: 'size', value: 'seven' },
      { name: 'from', value: '$ARGOCD_APP_SOURCE_REPO_URL' },
    ],
    valuesObject: { clientSecret: 's3cret "2" of many' },
  };
  const templates = {
    fail: '{{ fail (printf "size %s is no number, in %s, %s, %s" .Values.size (toJson .Values) (b64enc .Values.db.password) .Values.from) }}',
    required:
      '{{ required (printf "set the color: %s; size %s" (quote .Values.clientSecret) .Values.size) .Values.color }}',
  };
  for (const [name, template] of Object.entries(templates)) {
    const files = {
      'chart/Chart.yaml': 'apiVersion: v2\nname: app\nversion: 1.0.0\n',
      'chart/templates/a.yaml': template,
    };
    const tree: GitTree = {
      ...treeOf(files),
      commit: `${'a'.repeat(39)}${name.length}`,
      committedAt: undefined,
      oid: () => undefined,
    };
    const thrown: unknown = await pool.render(tree, request(helm), { fresh: true }).catch((error: unknown) => error);
    assert.ok(thrown instanceof Fault, name);
    assert.match(
      thrown.message,
      /^cannot render "chart" of https:\/\/\*\*\*@git\.example\.com\/shop\.git: .*size seven/,
    );
    assert.match(thrown.message, /\+{8}/);
    for (const secret of ['p4ssw0rd-1', btoa('p4ssw0rd-1'), 's3cret', 'of many', 'of-git'])
      assert.ok(!thrown.message.includes(secret), thrown.message);
  }
});

test('nor do the warnings of a chart', async () => {
  const pool = createRenderPool({ renderers: [helmRenderer], clock: systemClock });
  const files = {
    'chart/Chart.yaml': 'apiVersion: v2\nname: app\nversion: 1.0.0\n',
    'chart/values.yaml': 'db: {password: {of: {the: table}}}\n',
    'chart/templates/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n',
  };
  const tree: GitTree = { ...treeOf(files), commit: 'a'.repeat(40), committedAt: undefined, oid: () => undefined };
  const helm = { valuesObject: { db: { password: 'p4ssw0rd-1' } } };
  const { warnings } = await pool.render(tree, request(helm), { fresh: true });
  assert.ok(warnings.length > 0 && !warnings.join().includes('p4ssw0rd-1'), warnings.join());
});

test('a folder that is missing is said without the user of the address', async () => {
  const pool = createRenderPool({ renderers: [helmRenderer], clock: systemClock });
  const tree: GitTree = { ...treeOf({ a: '' }), commit: 'a'.repeat(40), committedAt: undefined, oid: () => undefined };
  await assert.rejects(pool.render(tree, request({}), { fresh: true }), {
    message: /^app path "chart" does not exist in https:\/\/\*\*\*@git\.example\.com\/shop\.git at/,
  });
});
