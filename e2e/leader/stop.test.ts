import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { type Cluster, startCluster } from '../cluster/cluster.ts';
import { type FaultProxy, type ProxiedWrite, startFaultProxy } from '../faults/fault-proxy.ts';
import { type GitServer, startGitServer } from '../git-server/git-server.ts';
import { installMooring } from '../harness/applications.ts';
import { connectKube, type Kube } from '../harness/kube.ts';
import { type OperatorProcess, startOperatorProcess } from '../harness/operator-process.ts';
import { applicationOf, kubeconfig, partOf, startDeafServer, until } from './replicas.ts';

/** What the issue promises, in milliseconds. */
const promisedMs = 10_000;

let cluster: Cluster;
let git: GitServer;
let kube: Kube;
let folder: string;
const undo: (() => unknown)[] = [];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mooring-stop-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  cluster = await startCluster({ name: 'e2e-stop', node: 'none' });
  undo.push(() => cluster.stop());
  git = await startGitServer();
  undo.push(() => git.close());
  kube = await connectKube(cluster.kubeconfigPath);
  undo.push(() => kube.close());
  await installMooring(kube);
});
after(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** An operator in a namespace of its own, behind a proxy. */
interface Lonely {
  readonly namespace: string;
  readonly proxy: FaultProxy;
  readonly process: OperatorProcess;
  decide: (write: ProxiedWrite) => Promise<void>;
  /** Who holds its Lease now. */
  holder(): Promise<string>;
}

async function start(namespace: string, server?: string): Promise<Lonely> {
  if (server === undefined)
    await kube.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const ways: Pick<Lonely, 'decide'> = { decide: async () => {} };
  const proxy = await startFaultProxy(cluster, async (write) => {
    await ways.decide(write);
    return { do: 'pass' };
  });
  undo.push(() => proxy.close());
  const kubeconfigPath = join(folder, `${namespace}.json`);
  await writeFile(kubeconfigPath, kubeconfig(server ?? proxy.server));
  const logPath = join('.mooring', 'e2e', `e2e-stop-${namespace}.log`);
  await rm(logPath, { force: true });
  const process = await startOperatorProcess({
    kubeconfigPath,
    namespace,
    dataDirectory: join(folder, namespace),
    logPath,
    replica: namespace,
    until: server === undefined ? '/readyz' : '/livez',
  });
  undo.push(() => process.isRunning() && process.kill());
  const lease = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/mooring`;
  const holder = async (): Promise<string> => ((await kube.find(lease))?.['spec']?.holderIdentity as string) ?? '';
  const lonely = Object.assign(ways, { namespace, proxy, process, holder });
  if (server === undefined) await until(`${namespace} leads`, async () => (await holder()) === namespace);
  return lonely;
}

/** Sends SIGTERM, and says how long it took to end. */
async function ends(process: OperatorProcess, context: TestContext): Promise<void> {
  const at = performance.now();
  assert.equal(await process.stop(), 0);
  const tookMs = performance.now() - at;
  context.diagnostic(`ended ${tookMs.toFixed(0)} ms after SIGTERM`);
  assert.ok(tookMs < promisedMs, `${tookMs} ms`);
}

async function create(namespace: string, repoURL: string, path = '.'): Promise<void> {
  const of = `/apis/argoproj.io/v1alpha1/namespaces/${namespace}/applications`;
  await kube.create(of, applicationOf(`${namespace}-app`, repoURL, path, namespace));
}

describe('an operator ends in good order within 10 s of SIGTERM', { concurrency: 3 }, () => {
  test('while it waits for an API server that does not answer', async (context) => {
    const deaf = await startDeafServer();
    const { process } = await start('deaf', deaf.url);
    await deaf.reached;
    await ends(process, context);
    await deaf.close();
  });

  test('while it waits for an API server that is not there', async (context) => {
    const { process } = await start('absent', 'http://127.0.0.1:9');
    await ends(process, context);
  });

  test('while it leads and has nothing to do; the Lease is given up', async (context) => {
    const lonely = await start('idle');
    await ends(lonely.process, context);
    assert.equal(await lonely.holder(), '');
  });

  test('while a write of a sync is not answered', async (context) => {
    const lonely = await start('unanswered');
    const repository = await git.createRepository('unanswered');
    await repository.commit({ files: { 'part.json': partOf('part', '1') }, message: 'first' });
    const asked = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    lonely.decide = (write) => {
      if (!write.path.includes('/configmaps/part')) return Promise.resolve();
      asked.resolve();
      return answered.promise;
    };
    await create(lonely.namespace, repository.url);
    await asked.promise;
    await ends(lonely.process, context);
    assert.equal(await lonely.holder(), '', 'the Lease is given up all the same');
    answered.resolve();
  });

  test('while the API server is gone', async (context) => {
    const lonely = await start('gone');
    await lonely.proxy.close();
    await ends(lonely.process, context);
  });

  test('while the API server answers no write any more, that of the Lease neither', async (context) => {
    const lonely = await start('silent');
    const asked = Promise.withResolvers<void>();
    lonely.decide = () => {
      asked.resolve();
      return new Promise(() => {});
    };
    await asked.promise;
    await ends(lonely.process, context);
  });

  test('while Git does not answer', async (context) => {
    const lonely = await start('git-hangs');
    const deaf = await startDeafServer();
    await create(lonely.namespace, `${deaf.url}/hangs.git`);
    await deaf.reached;
    await ends(lonely.process, context);
    assert.equal(await lonely.holder(), '');
    await deaf.close();
  });

  test('while a render runs', async (context) => {
    const lonely = await start('renders');
    const repository = await git.createRepository('renders');
    const endless = '{{ range $i := until 1000000 }}{{ range $j := until 1000000 }}{{ end }}{{ end }}';
    const files = {
      'Chart.yaml': 'apiVersion: v2\nname: endless\nversion: 1.0.0\n',
      'templates/endless.yaml': endless,
    };
    await repository.commit({ files, message: 'first' });
    await create(lonely.namespace, repository.url);
    const { cpuSeconds } = lonely.process.usage();
    await until('it computes', () => lonely.process.usage().cpuSeconds > cpuSeconds + 2);
    await ends(lonely.process, context);
    assert.equal(await lonely.holder(), '');
  });

  test('or at once, after a second signal', async () => {
    const lonely = await start('twice');
    const deaf = await startDeafServer();
    await create(lonely.namespace, `${deaf.url}/hangs.git`);
    await deaf.reached;
    lonely.process.signal('SIGTERM');
    await until('it stops', async () => {
      const answer = await fetch(`${lonely.process.url}/readyz`);
      return answer.status === 503 && (await answer.text()).includes('stopping');
    });
    const at = performance.now();
    lonely.process.signal('SIGTERM');
    assert.equal(await lonely.process.ended, 143);
    assert.ok(performance.now() - at < 1_000);
    await deaf.close();
  });
});
