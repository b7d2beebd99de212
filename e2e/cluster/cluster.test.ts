import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Api,
  buildCluster,
  type Cluster,
  imageTar,
  type Json,
  sampleImages,
  startCluster,
  sweep,
} from './cluster.ts';
import { processesWithEnv } from './processes.ts';
import { bridgeAddress, readRun } from './run.ts';

const unique = (name: string): string => `test-${name}-${process.pid}`;

before(async () => {
  await buildCluster({ realNode: true, onProgress: (line) => console.log(`# ${line}`) });
});

test('an API server answers, keeps objects and has the right version', async () => {
  const cluster = await startCluster({ name: unique('none'), node: 'none' });
  try {
    assert.equal(await cluster.api.text('/readyz'), 'ok');
    const version = await cluster.api.call('GET', '/version');
    assert.deepEqual([version.gitVersion, version.major, version.minor], ['v1.37.2', '1', '37']);
    await cluster.api.call('POST', '/api/v1/namespaces/default/configmaps', configMap('greeting', { word: 'hello' }));
    const read = await cluster.api.call('GET', '/api/v1/namespaces/default/configmaps/greeting');
    assert.deepEqual(read.data, { word: 'hello' });
    assert.match(await cluster.kubectl('version'), /Client Version: v1\.37\.2[\s\S]*Server Version: v1\.37\.2/);
    assert.match(cluster.kubeconfig, new RegExp(`server: ${cluster.server}`));
    const answer = await cluster.api
      .call('GET', '/api/v1/namespaces/default/configmaps/absent')
      .catch((error) => error);
    assert.equal(answer.status, 404);
    await assert.rejects(cluster.loadImage('image.tar'), /has no real node to load an image into/);
  } finally {
    await cluster.stop();
  }
  assertNothingLeft(cluster);
});

test('RBAC refuses a service account that was granted nothing, and a stranger', async () => {
  const cluster = await startCluster({ name: unique('rbac'), node: 'none' });
  try {
    const as = 'system:serviceaccount:default:default';
    await assert.rejects(cluster.kubectl('get', 'secrets', '--as', as), /Forbidden/);
    await assert.rejects(cluster.kubectl('get', 'secrets', '--as', 'system:anonymous'), /Forbidden/);
  } finally {
    await cluster.stop();
  }
});

test('two clusters run side by side, each with its own objects and certificates; a name is taken once', async () => {
  const [one, two] = await Promise.all([
    startCluster({ name: unique('one'), node: 'none' }),
    startCluster({ name: unique('two'), node: 'none' }),
  ]);
  try {
    assert.notEqual(one.server, two.server);
    assert.notEqual(one.caData, two.caData);
    await one.api.call('POST', '/api/v1/namespaces/default/configmaps', configMap('only-in-one', {}));
    const inTwo = await two.api
      .call('GET', '/api/v1/namespaces/default/configmaps/only-in-one')
      .catch((error) => error);
    assert.equal(inTwo.status, 404);
    await assert.rejects(startCluster({ name: unique('one'), node: 'none' }), /runs already/);
    assert.equal(await one.api.text('/readyz'), 'ok');
  } finally {
    await Promise.all([one.stop(), two.stop()]);
  }
  assertNothingLeft(one);
  assertNothingLeft(two);
});

test('a name that is no name is refused before anything is made', async () => {
  for (const name of ['', '-x', 'x-', 'UPPER', 'a/b', '..', 'x'.repeat(41)]) {
    await assert.rejects(startCluster({ name, node: 'none' }), /use 1 to 40 lower-case letters/);
  }
});

test('a simulated node runs Deployments, ends Jobs after their sleep, fails those that fail and holds many pods', async () => {
  const cluster = await startCluster({ name: unique('simulated'), node: 'simulated' });
  const { api } = cluster;
  try {
    await apply(api, deployment('web', 500, { image: 'anything', command: ['serve'] }));
    await apply(api, deployment('broken', 1, { image: 'anything', command: ['false'] }));
    await apply(api, job('sleeps', { image: 'anything', command: ['sleep', '2'] }));
    await apply(api, job('fails', { image: 'anything', command: ['sh', '-c', 'sleep 1; false'] }));
    await until('the Job fails', async () => condition(await read(api, 'batch', 'jobs', 'fails'), 'Failed'));
    const sleeps = await until('the Job is complete', async () => {
      const found = await read(api, 'batch', 'jobs', 'sleeps');
      return condition(found, 'Complete') && found;
    });
    const took = Date.parse(sleeps.status.completionTime) - Date.parse(sleeps.status.startTime);
    assert.ok(took >= 2000, `a sleep of 2 s took ${took} ms`);
    await until(
      '500 pods are ready',
      async () => (await read(api, 'apps', 'deployments', 'web')).status.readyReplicas === 500,
    );
    const restarts = await until('the failing pod is in a crash loop', async () => {
      const pods = await api.call('GET', '/api/v1/namespaces/default/pods?labelSelector=app%3Dbroken');
      const [status] = pods.items[0]?.status.containerStatuses ?? [];
      return status?.state.waiting?.reason === 'CrashLoopBackOff' && status.restartCount;
    });
    assert.ok(restarts >= 1);
    assert.equal((await read(api, 'apps', 'deployments', 'broken')).status.readyReplicas, undefined);
    await api.call('DELETE', '/apis/apps/v1/namespaces/default/deployments/web?propagationPolicy=Foreground');
    await until('the pods are gone', async () => {
      const pods = await api.call('GET', '/api/v1/namespaces/default/pods?labelSelector=app%3Dweb&limit=1');
      return pods.items.length === 0;
    });
  } finally {
    await cluster.stop();
  }
  assertNothingLeft(cluster);
});

test('a real node runs containers: a Deployment, a roll-out, Jobs, logs, exec and pod addresses', async () => {
  const cluster = await startCluster({ name: unique('real'), node: 'real' });
  const { api } = cluster;
  try {
    await apply(api, deployment('web', 2, { image: sampleImages.webV1 }));
    await apply(api, job('greets', { image: sampleImages.busybox, command: ['sh', '-c', 'echo hello from the job'] }));
    await apply(api, job('fails', { image: sampleImages.busybox, command: ['false'] }));
    await until('the Deployment is available', async () =>
      condition(await read(api, 'apps', 'deployments', 'web'), 'Available'),
    );
    await until('the Job is complete', async () => condition(await read(api, 'batch', 'jobs', 'greets'), 'Complete'));
    await until('the Job fails', async () => condition(await read(api, 'batch', 'jobs', 'fails'), 'Failed'));
    assert.equal(await cluster.kubectl('logs', 'job/greets'), 'hello from the job\n');
    assert.deepEqual(new Set(await Promise.all((await webPods(api)).map(answerOf))), new Set(['v1\n']));

    // The API server's answer to a request without TLS.
    const ask = `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc $KUBERNETES_SERVICE_HOST $KUBERNETES_SERVICE_PORT`;
    await apply(api, job('asks', { image: sampleImages.busybox, command: ['sh', '-c', ask] }));
    await until('the Job has asked', async () => condition(await read(api, 'batch', 'jobs', 'asks'), 'Complete'));
    assert.match(await cluster.kubectl('logs', 'job/asks'), /Client sent an HTTP request to an HTTPS server/);
    const { pods } = cluster;
    assert.match(pods?.gateway ?? '', /^10\.244\.\d+\.1$/);
    assert.match(pods?.server ?? '', /^https:\/\/10\.96\.\d+\.1$/);

    await apply(api, { ...deployment('web', 2, { image: sampleImages.webV2 }) });
    await cluster.kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
    await until('both pods answer with v2', async () => {
      const pods = await webPods(api);
      return pods.length === 2 && (await Promise.all(pods.map(answerOf))).every((answer) => answer === 'v2\n');
    });

    const image = imageTar({
      name: 'mooring.local/own:1',
      files: {
        '/bin/busybox': { content: readFileSync('/bin/busybox'), mode: 0o755 },
        '/word': { content: Buffer.from('own') },
      },
      entrypoint: ['/bin/busybox', 'sleep', '1000'],
    });
    const tar = join(cluster.dir, 'own.tar');
    await writeFile(tar, image);
    await cluster.loadImage(tar);
    await apply(api, deployment('own', 1, { image: 'mooring.local/own:1' }));
    await cluster.kubectl('rollout', 'status', 'deployment/own', '--timeout=60s');
    assert.equal(await cluster.kubectl('exec', 'deployment/own', '--', '/bin/busybox', 'cat', '/word'), 'own');
  } finally {
    await cluster.stop();
  }
  assertNothingLeft(cluster);
});

test('what a killed process leaves is removed by the next sweep, and nothing else is', async () => {
  const bystander = await startCluster({ name: unique('bystander'), node: 'none' });
  try {
    const name = unique('killed');
    const script = `
      import { startCluster } from ${JSON.stringify(join(import.meta.dirname, 'cluster.ts'))};
      const cluster = await startCluster({ name: ${JSON.stringify(name)}, node: 'real' });
      await cluster.kubectl('create', 'deployment', 'web', '--image=${sampleImages.webV1}', '--replicas=2');
      await cluster.kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
      console.log(cluster.dir);
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [dir] = await Promise.race([
      createInterface({ input: child.stdout })
        [Symbol.asyncIterator]()
        .next()
        .then(({ value }) => [value as string]),
      new Promise<never>((_, reject) =>
        child.once('exit', (code) => reject(new Error(`the process ended by itself: ${code}`))),
      ),
    ]);
    const killed = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await killed;
    assert.ok(dir !== undefined && existsSync(dir));
    assert.ok(processesWithEnv('MOORING_CLUSTER_DIR', dir).length >= 7, 'the cluster outlives its process');
    // Another test's start may come first and sweep it; then there is nothing left to return here.
    const swept = await sweep();
    assert.ok(swept.includes(name) || (await readRun(name)) === undefined);
    assertNothingLeft({ name, dir });
    assert.equal(await bystander.api.text('/readyz'), 'ok');
  } finally {
    await bystander.stop();
  }
});

function assertNothingLeft({ name, dir }: Pick<Cluster, 'name' | 'dir'>): void {
  assert.deepEqual(processesWithEnv('MOORING_CLUSTER_DIR', dir), []);
  assert.equal(existsSync(dir), false, `${dir} is still there`);
  assert.equal(existsSync(join(import.meta.dirname, '..', '..', '.tools', 'cluster', 'run', name)), false);
  assert.doesNotMatch(readFileSync('/proc/self/mounts', 'utf8'), new RegExp(dir));
  assert.doesNotMatch(execFileSync('ip', ['link', 'show'], { encoding: 'utf8' }), new RegExp(bridgeAddress(dir)));
}

function configMap(name: string, data: Record<string, string>): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
}

type Container = { image: string; command?: string[] };

function deployment(name: string, replicas: number, container: Container): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { terminationGracePeriodSeconds: 2, containers: [{ name: 'main', ...container }] },
      },
    },
  };
}

function job(name: string, container: Container): object {
  const spec = { restartPolicy: 'Never', containers: [{ name: 'main', ...container }] };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec: { backoffLimit: 0, template: { spec } } };
}

async function apply(api: Api, object: Json): Promise<void> {
  const path = `/apis/${object.apiVersion}/namespaces/default/${object.kind.toLowerCase()}s/${object.metadata.name}`;
  await api.call('PATCH', `${path}?fieldManager=test&force=true`, object, {
    contentType: 'application/apply-patch+yaml',
  });
}

async function read(api: Api, group: string, resource: string, name: string): Promise<Json> {
  return await api.call('GET', `/apis/${group}/v1/namespaces/default/${resource}/${name}`);
}

function condition(object: Json, type: string): boolean {
  return object.status.conditions?.some((found: Json) => found.type === type && found.status === 'True') === true;
}

async function webPods(api: Api): Promise<Json[]> {
  const pods = await api.call('GET', '/api/v1/namespaces/default/pods?labelSelector=app%3Dweb');
  return pods.items.filter((pod: Json) => pod.metadata.deletionTimestamp === undefined);
}

async function answerOf(pod: Json): Promise<string> {
  return await new Promise((resolve, reject) => {
    const request = get(`http://${pod.status.podIP}:8080/`, { timeout: 5000 }, (response) => {
      response.setEncoding('utf8');
      let text = '';
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
    });
    request.on('timeout', () => request.destroy(new Error(`no answer from ${pod.metadata.name}`)));
    request.on('error', reject);
  });
}

async function until<T>(what: string, check: () => Promise<T | false | undefined>): Promise<T> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const result = await check();
    if (result !== false && result !== undefined) return result;
    if (performance.now() > deadline) throw new Error(`after 60 s it is still not so that ${what}`);
    await sleep(100);
  }
}
