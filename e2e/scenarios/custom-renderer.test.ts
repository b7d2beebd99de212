import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Cluster, startCluster } from '../cluster/cluster.ts';
import { type GitServer, startGitServer } from '../git-server/git-server.ts';
import { type ApplicationView, applicationsPath, installMooring, viewApplications } from '../harness/applications.ts';
import { connectKube, type Kube } from '../harness/kube.ts';
import { localRepositories } from '../harness/operator-process.ts';

const example = (path: string): string =>
  fileURLToPath(new URL(`../../examples/custom-renderer/${path}`, import.meta.url));

let cluster: Cluster;
let git: GitServer;
let kube: Kube;
let view: ApplicationView;
let operator: ChildProcess;
let log = '';

before(async () => {
  cluster = await startCluster({ name: 'e2e-renderer', node: 'none' });
  git = await startGitServer();
  kube = await connectKube(cluster.kubeconfigPath);
  await installMooring(kube);
  view = viewApplications(kube);
  operator = spawn(process.execPath, [example('main.ts')], {
    env: { ...process.env, ...localRepositories, KUBECONFIG: cluster.kubeconfigPath },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [operator.stdout, operator.stderr]) stream?.on('data', (bytes) => (log += String(bytes)));
});
after(async () => {
  operator?.kill('SIGKILL');
  view?.stop();
  await kube?.close();
  await git?.close();
  await cluster?.stop();
});

test('the example renders a folder of its own kind, and leaves the others to the usual renderers', async () => {
  const repository = await git.createRepository('web');
  await repository.commit({
    files: {
      'hello/web-app.yaml': await readFile(example('sample/web-app.yaml'), 'utf8'),
      'plain/config.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: b}\n',
    },
    message: 'first',
  });
  for (const path of ['hello', 'plain']) {
    await kube.create(applicationsPath, {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: { name: path, namespace: 'argocd' },
      spec: {
        project: 'default',
        source: { repoURL: repository.url, path, targetRevision: 'main' },
        destination: { server: 'https://kubernetes.default.svc', namespace: path },
        syncPolicy: { automated: {}, syncOptions: ['CreateNamespace=true'] },
      },
    });
  }
  await view
    .until(
      'both are synced',
      (apps) => ['hello', 'plain'].every((name) => apps.get(name)?.status?.sync?.status === 'Synced'),
      60_000,
    )
    .catch((thrown: unknown) => assert.fail(`${String(thrown)}\n${log}`));
  assert.equal(view.get('hello')?.status?.sourceType, 'Plugin');
  assert.equal(view.get('plain')?.status?.sourceType, 'Directory');
  const deployment = await kube.get('/apis/apps/v1/namespaces/hello/deployments/hello');
  assert.equal(deployment['spec'].replicas, 2);
  assert.equal(deployment['spec'].template.spec.containers[0].image, 'mooring.local/web:v1');
  const service = await kube.get('/api/v1/namespaces/hello/services/hello');
  assert.equal(service['spec'].ports[0].targetPort, 'http');
});

test('the example ends when it is told to', async () => {
  assert.equal(operator.exitCode, null, log);
  operator.kill('SIGTERM');
  const [code] = (await once(operator, 'exit')) as [number | null];
  assert.equal(code, 0, log);
});
