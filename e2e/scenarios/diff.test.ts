import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { mooring, type Run } from '../../cli/src/testing.ts';
import type { GitRepository } from '../git-server/git-repository.ts';
import { applicationsPath, isSettled } from '../harness/applications.ts';
import { configMap, configMapPath, type Stage, startStage } from '../harness/stage.ts';

const app = 'diffed';
let stage: Stage;
let repository: GitRepository;

function secret(password: string): string {
  const metadata = { name: 'secret' };
  return JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata, stringData: { password } });
}

const files = {
  'app/a.yaml': configMap('a', { color: 'blue', size: '1' }),
  'app/b.yaml': configMap('b', { color: 'blue' }),
  'app/secret.yaml': secret('hunter2'),
};

before(async () => {
  stage = await startStage({ name: 'e2e-diff', node: 'none' });
  repository = await stage.repository(app, files);
  await stage.application(app, repository, {
    source: { repoURL: repository.url, path: 'app', targetRevision: 'main' },
  });
  await stage.view.until('the first sync', (apps) => apps.has(app) && isSettled(stageApp()), 60_000);
  await stage.operator.stop();
});
after(() => stage?.close());

function stageApp(): Parameters<typeof isSettled>[0] {
  const found = stage.view.get(app);
  assert.ok(found);
  return found;
}

function diff(...args: string[]): Promise<Run> {
  return mooring(['diff', app, '--kubeconfig', stage.cluster.kubeconfigPath, ...args]);
}

test('a cluster that is as Git says has no differences', async () => {
  assert.deepEqual(await diff(), { code: 0, stdout: '', stderr: '' });
});

test('what a sync would change, make and prune is shown, and values of Secrets are not', async () => {
  await repository.commit({
    branch: 'next',
    files: {
      'app/a.yaml': configMap('a', { color: 'red', size: '1' }),
      'app/b.yaml': null,
      'app/c.yaml': configMap('c', { color: 'blue' }),
      'app/secret.yaml': secret('hunter3'),
    },
    message: 'next',
  });
  const { code, stdout, stderr } = await diff('--revision', 'next');
  assert.equal(stderr, '');
  assert.equal(code, 1);
  assert.equal(
    stdout,
    `--- live/ConfigMap/diffed/a
+++ desired/ConfigMap/diffed/a
@@ -1,6 +1,6 @@
 apiVersion: v1
 data:
-  color: blue
+  color: red
   size: "1"
 kind: ConfigMap
 metadata:
--- /dev/null
+++ desired/ConfigMap/diffed/c
@@ -0,0 +1,9 @@
+apiVersion: v1
+data:
+  color: blue
+kind: ConfigMap
+metadata:
+  annotations:
+    argocd.argoproj.io/tracking-id: diffed:/ConfigMap:diffed/c
+  name: c
+  namespace: diffed
--- live/Secret/diffed/secret
+++ desired/Secret/diffed/secret
@@ -1,6 +1,6 @@
 apiVersion: v1
 data:
-  password: ++++++++
+  password: +++++++++
 kind: Secret
 metadata:
   annotations:
--- live/ConfigMap/diffed/b
+++ /dev/null
@@ -1,9 +0,0 @@
-apiVersion: v1
-data:
-  color: blue
-kind: ConfigMap
-metadata:
-  annotations:
-    argocd.argoproj.io/tracking-id: diffed:/ConfigMap:diffed/b
-  name: b
-  namespace: diffed
`,
  );
});

test('drift is shown, and a checkout on disk is compared before it is committed', async (t) => {
  await stage.kube.merge(configMapPath(app, 'a'), { data: { color: 'green', more: 'of somebody else' } });
  const drift = await diff();
  assert.match(drift.stdout, /^-\s+color: green\n\+\s+color: blue$/m);
  assert.equal(drift.code, 1);
  const folder = await mkdtemp(join(tmpdir(), 'mooring-checkout-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const [path, content] of Object.entries({
    ...files,
    'app/a.yaml': configMap('a', { color: 'green', size: '1' }),
  })) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  assert.deepEqual(await diff('--local', folder), { code: 0, stdout: '', stderr: '' });
});

test('rules that ignore nothing are told, and the others hold', async (t) => {
  const path = `${applicationsPath}/${app}`;
  const ignoreDifferences = [
    { kind: 'ConfigMap', jsonPointers: ['/data/color', 'data/size'], jqPathExpressions: ['.data | keys'] },
  ];
  await stage.kube.merge(configMapPath(app, 'a'), { data: { color: 'green', size: '2' } });
  await stage.kube.merge(path, { spec: { ignoreDifferences } });
  t.after(() => stage.kube.merge(path, { spec: { ignoreDifferences: null } }));
  const { code, stdout, stderr } = await diff();
  assert.match(
    stderr,
    /^mooring: warning: ignoreDifferences of ConfigMap: 'data\/size' is no JSON pointer; begin it with \/\n/,
  );
  assert.match(
    stderr,
    /\nmooring: warning: ignoreDifferences of ConfigMap: the jq expression '\.data \| keys' is not supported/,
  );
  assert.match(stdout, /^-\s+size: "2"\n\+\s+size: "1"$/m);
  assert.doesNotMatch(stdout, /color/);
  assert.equal(code, 1);
});

test('what stands in the way is said', async () => {
  const kubeconfig = ['--kubeconfig', stage.cluster.kubeconfigPath];
  const cases: readonly (readonly [args: readonly string[], says: RegExp])[] = [
    [
      ['diff', 'other', ...kubeconfig],
      /^mooring: there is no Application other in the namespace argocd; there are diffed\n$/,
    ],
    [['diff', app, ...kubeconfig, '--context', 'other'], /no context "other"/],
    [['diff', app, '--kubeconfig', '/nowhere'], /the kubeconfig \/nowhere cannot be read/],
    [['diff', app, ...kubeconfig, '--revision', 'nowhere'], /nowhere/],
    [['diff', app, ...kubeconfig, '--local', '/', '--revision', 'x'], /--revision doesn't go with --local/],
  ];
  for (const [args, says] of cases) {
    const { code, stdout, stderr } = await mooring(args);
    assert.match(stderr, says);
    assert.doesNotMatch(stderr, /bug/);
    assert.equal(stdout, '');
    assert.equal(code, 2);
  }
});
