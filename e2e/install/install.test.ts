import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Application } from '@mooring/crds';
import { parse } from 'yaml';
import { type Cluster, startCluster } from '../cluster/cluster.ts';
import type { GitRepository } from '../git-server/git-repository.ts';
import { type GitServer, startGitServer } from '../git-server/git-server.ts';
import { githubPush, sendWebhook } from '../git-server/webhook.ts';
import { type ApplicationView, applicationsPath, isSettled, viewApplications } from '../harness/applications.ts';
import { containerMemory } from '../harness/container-memory.ts';
import { answerOf, eventually, type Installed, prepareInstallation } from '../harness/installed.ts';
import { connectKube, type Kube } from '../harness/kube.ts';

const samples = fileURLToPath(new URL('../samples', import.meta.url));
const applications = 25;
const user = { name: 'mooring', password: 'a-token-of-the-git-host' };
const undo: (() => unknown)[] = [];
let cluster: Cluster;
let kube: Kube;
let mooring: Installed;
let git: GitServer;
let repository: GitRepository;
let view: ApplicationView;

before(async () => {
  cluster = await startCluster({ name: 'e2e-install', node: 'real' });
  undo.push(() => cluster.stop());
  git = await startGitServer({ host: cluster.pods?.gateway ?? '', users: { [user.name]: user.password } });
  undo.push(() => git.close());
  repository = await git.createRepository('shop');
  await repository.commit({ from: samples, message: 'The shop' });
  kube = await connectKube(cluster.kubeconfigPath);
  undo.push(() => kube.close());
  mooring = await prepareInstallation(cluster, (line) => console.log(`# ${line}`));
  await mooring.install(values({}));
  view = viewApplications(kube);
  undo.push(() => view.stop());
});

after(async () => {
  for (const step of undo.reverse()) await step();
});

function values(controller: object): object {
  const { origin } = new URL(repository.url);
  return {
    controller,
    configs: {
      credentialTemplates: { git: { type: 'git', url: origin, username: user.name, password: user.password } },
      secret: { githubSecret: 'of-the-webhook' },
    },
  };
}

/** Commits, and tells a pod by webhook. Answers the commit. */
async function push(url: string, files: Record<string, string | null>): Promise<string> {
  const before = await repository.resolve('main');
  const after = await repository.commit({ files, message: 'change' });
  const changes = await repository.changes(before, after);
  const delivery = githubPush({
    repoURL: repository.url,
    ref: 'refs/heads/main',
    before,
    after,
    changes,
    secret: 'of-the-webhook',
  });
  await sendWebhook(`${url}/api/webhook`, delivery);
  return after;
}

async function settled(commit?: string): Promise<number> {
  return await view.until(
    `all ${applications} applications are Synced and Healthy`,
    (apps) => apps.size === applications && [...apps.values()].every((app) => isSettled(app, commit)),
    180_000,
  );
}

function historyOf(app: Application | undefined): number | undefined {
  return app?.status?.history?.length;
}

async function leaderUrl(): Promise<string> {
  return await eventually('a pod leads', 60_000, async () => {
    const [name, pods] = [await mooring.leader(), await mooring.pods()];
    return pods.find((pod) => pod.name === name && pod.url !== '')?.url;
  });
}

test('the pod deploys the shop from inside the cluster, and keeps to Pod Security restricted', async () => {
  const text = await readFile(`${samples}/root.yaml`, 'utf8');
  await kube.create(applicationsPath, parse(text.replaceAll('https://git.example.com/shop.git', repository.url)));
  const ms = await settled();
  console.log(`# 25 applications Synced and Healthy after ${(ms / 1_000).toFixed(1)} s`);
  const [pod] = await mooring.pods();
  assert.ok(pod?.ready);
  assert.equal((await answerOf(`${pod.url}/livez`)).status, 200);
  assert.match((await answerOf(`${pod.url}/metrics`)).text, /^argocd_app_info\{/m);
});

test('a commit is applied after a webhook to the pod, and drift is healed', async () => {
  const commit = await push(await leaderUrl(), {
    'services/shipping/dev/carriers/post.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: carrier-post}\ndata: {days: "9"}\n',
  });
  await settled(commit);
  const post = await kube.get('/api/v1/namespaces/shop-dev/configmaps/carrier-post');
  assert.deepEqual(post['data'], { days: '9' });
  await kube.remove('/api/v1/namespaces/shop-dev/services/storefront');
  await eventually('the Service is back', 60_000, () => kube.find('/api/v1/namespaces/shop-dev/services/storefront'));
  await view.until('the heal is in the history', (apps) => historyOf(apps.get('storefront-dev')) === 2, 60_000);
});

test('a repository on the node of the pod is not asked', async () => {
  const name = 'on-the-node';
  const places = {
    localhost: 'http://localhost:8080/shop',
    metadata: 'http://169.254.169.254/latest',
    file: 'file:///srv',
  };
  for (const [place, repoURL] of Object.entries(places)) {
    await kube.create(applicationsPath, {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: { name: `${name}-${place}`, namespace: 'argocd' },
      spec: {
        project: 'default',
        source: { repoURL, path: '.' },
        destination: { server: 'https://kubernetes.default.svc', namespace: 'default' },
      },
    });
    await view.until(
      `${place} is refused`,
      (apps) =>
        (apps.get(`${name}-${place}`)?.status?.conditions ?? []).some(({ message }) =>
          /is not asked: .* a place on the machine|is not valid: the transport file is switched off/.test(message),
        ),
      60_000,
    );
    await kube.remove(`${applicationsPath}/${name}-${place}`);
  }
  await view.until('they are gone', (apps) => apps.size === applications, 60_000);
});

/** Folders that bring what renders them to its bound of memory, and what is said of each. */
async function commitGreedy(greedy: GitRepository): Promise<Readonly<Record<string, RegExp>>> {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-greedy-'));
  const write = async (files: Record<string, string | Uint8Array>): Promise<void> => {
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), content);
    }
  };
  const link = async (name: string, count: number): Promise<void> => {
    for (let index = 0; index < count; index += 1) await symlink('blob', join(folder, name, `link-${index}`));
  };
  const chart = 'apiVersion: v2\nname: greedy\nversion: 1.0.0\n';
  const head = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n';
  const growing =
    '{{ $all := list }}{{ $x := repeat 8000000 "x" }}{{ range until 100 }}{{ $all = append $all (printf "%d%s" . $x) }}{{ end }}';
  const files = Array.from({ length: 14 }, (_, index) => `link-${index}`);
  const item = '- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: *a}}\n';
  try {
    await write({
      'chart/Chart.yaml': chart,
      'chart/templates/a.yaml': `${growing}${head}`,
      'kustomization/kustomization.yaml': `configMapGenerator: [{name: greedy, files: [${files}]}]\n`,
      'kustomization/blob': Buffer.alloc(2_000_000, 'é'),
      'values/a.yaml': `${head}x: [${'a,'.repeat(4_900_000)}]\n`,
      'more-values/a.yaml': `${head}y: [${'a,'.repeat(4_900_000)}]\n`,
      'links/Chart.yaml': chart,
      'links/blob': Buffer.alloc(16_000_000, 'b'),
      'aliases/a.yaml': `apiVersion: v1\nkind: List\nx: &a ${'z'.repeat(2_900_000)}\nitems:\n${item.repeat(1_000)}`,
    });
    await link('kustomization', files.length);
    await link('links', 400);
    await greedy.commit({ from: folder, message: 'More than there is' });
  } finally {
    await rm(folder, { recursive: true });
  }
  return {
    chart: /memoryBytes/,
    // Which of the bounds it comes to first is a matter of the machine.
    kustomization: /memoryBytes|manifestBytes|timeMs/,
    values: /more than 1500000 values/,
    'more-values': /more than 1500000 values/,
    links: /inputBytes/,
    aliases: /aliases are written out/,
  };
}

test('with engines and readers at their bounds the pod keeps below its limit of memory, and the others are synced', async () => {
  const greedy = await git.createRepository('greedy');
  const expected = await commitGreedy(greedy);
  const [before] = await mooring.pods();
  assert.ok(before);
  for (const path of Object.keys(expected)) {
    await kube.create(applicationsPath, {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: { name: `greedy-${path}`, namespace: 'argocd' },
      spec: {
        project: 'default',
        source: { repoURL: greedy.url, path },
        destination: { server: 'https://kubernetes.default.svc', namespace: 'default' },
      },
    });
  }
  const isRefused = (name: string): boolean => {
    const conditions = view.get(`greedy-${name}`)?.status?.conditions ?? [];
    return conditions.some(({ message }) => expected[name]?.test(message ?? ''));
  };
  await view.until('an engine was at its bound', () => isRefused('chart') || isRefused('kustomization'), 60_000);
  const commit = await push(before.url, {
    'services/shipping/dev/carriers/post.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: carrier-post}\ndata: {days: "11"}\n',
  });
  const isGreedy = ({ metadata }: Application): boolean => metadata.name?.startsWith('greedy-') === true;
  const ms = await view.until(
    'the others are Synced and Healthy',
    (apps) => [...apps.values()].every((app) => isGreedy(app) || isSettled(app, commit)),
    60_000,
  );
  console.log(`# ${applications} applications at the new commit after ${(ms / 1_000).toFixed(1)} s beside them`);
  await view.until('all of them are refused', () => Object.keys(expected).every(isRefused), 90_000);
  const { limit, peak, kills } = containerMemory(before.containerId);
  const mebibytes = (bytes: number): number => Math.round(bytes / 1_048_576);
  console.log(`# ${mebibytes(peak)} MiB at most, of ${mebibytes(limit)}`);
  assert.equal(kills, 0);
  assert.ok(mebibytes(peak) > 600, 'an engine was at its bound');
  assert.ok(peak < limit, `${peak} of ${limit} bytes`);
  assert.deepEqual(await mooring.pods(), [before]);
  for (const name of Object.keys(expected)) await kube.remove(`${applicationsPath}/greedy-${name}`);
  await view.until('they are gone', (apps) => apps.size === applications, 60_000);
});

test('an upgrade to two replicas with changed values loses nothing, and a webhook to the standby counts', async () => {
  const histories = (): unknown[] => view.all().map((app) => [app.metadata.name, historyOf(app)]);
  const before = histories();
  await mooring.install(values({ replicas: 2, pdb: { enabled: true }, podAnnotations: { changed: 'yes' } }));
  const pods = await mooring.pods();
  assert.deepEqual(
    pods.map(({ ready }) => ready),
    [true, true],
  );
  await settled();
  assert.deepEqual(histories(), before, 'nothing was synced again');
  const leader = await leaderUrl();
  const standby = pods.find(({ url }) => url !== leader);
  const commit = await push(standby?.url ?? '', {
    'services/shipping/dev/carriers/post.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: carrier-post}\ndata: {days: "8"}\n',
  });
  await settled(commit);
});

test('the standby takes over when the leader is deleted, and when it is killed', async () => {
  for (const [grace, limitMs] of [
    [30, 3_000],
    [0, 20_000],
  ] as const) {
    const name = await mooring.leader();
    const startedAt = performance.now();
    await kube.remove(`/api/v1/namespaces/argocd/pods/${name}?gracePeriodSeconds=${grace}`);
    const next = await eventually('another pod leads', 30_000, async () => {
      const now = await mooring.leader();
      return now !== '' && now !== name && now;
    });
    const tookMs = performance.now() - startedAt;
    console.log(
      `# ${next} leads ${tookMs.toFixed(0)} ms after the leader was ${grace === 0 ? 'killed' : 'told to stop'}`,
    );
    assert.ok(tookMs <= limitMs, `${tookMs} ms`);
    await eventually('two pods are ready', 60_000, async () => {
      const pods = await mooring.pods();
      return pods.length === 2 && pods.every(({ ready }) => ready);
    });
    const commit = await push(await leaderUrl(), {
      'services/shipping/dev/carriers/post.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: carrier-post}\ndata: {days: "${grace}"}\n`,
    });
    await settled(commit);
  }
});

test('after an uninstall everything that was deployed runs on, and the Applications stay', async () => {
  const deployments = async (): Promise<string[]> =>
    (await kube.list('/apis/apps/v1/deployments'))
      .filter(({ metadata }) => String(metadata.namespace).startsWith('shop-'))
      .map(({ metadata }) => `${metadata.uid}`)
      .sort();
  const before = await deployments();
  assert.ok(before.length > 10);
  await mooring.uninstall();
  await eventually('no pod of Mooring is left', 60_000, async () => (await mooring.pods()).length === 0);
  assert.deepEqual(await deployments(), before);
  assert.equal((await kube.list(applicationsPath)).length, applications);
});
