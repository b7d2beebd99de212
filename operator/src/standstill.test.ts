import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Application } from '@mooring/crds';
import { type KubeObject, treeOf } from '@mooring/renderer-contract';
import PQueue from 'p-queue';
import { openProject } from '../sim/process.ts';
import { quietSettings } from '../sim/quiet-world.ts';
import { createCache } from './adapters/kube/cache.ts';
import { recordOf } from './adapters/kube/record.ts';
import { createRenderPool } from './adapters/render/render-pool.ts';
import { untraced } from './adapters/telemetry/untraced.ts';
import { type Memory, newMemory } from './controllers/application/memory.ts';
import { reconcile } from './controllers/application/reconcile.ts';
import { createAppTrace } from './controllers/application/trace.ts';
import { createTraces } from './controllers/traces.ts';
import { healthOf } from './engine/health/health.ts';
import { operatorLimits } from './model/limits.ts';
import { keyOf, keyText, type ResourceKey } from './model/resource-key.ts';
import { defaultRenderers } from './renderers.ts';
import type { Clock } from './world/clock.ts';
import type { GitTree } from './world/git.ts';
import { noMetrics } from './world/telemetry.ts';
import type { World } from './world/world.ts';

// Tenants say what is rendered. While one of them has what is as large, as deep or as many as the limits allow, the passes of all others go on.

/** Milliseconds that the thread of the controllers may work without a turn for others. */
const standstillMaxMs = 50;

const clock: Clock = {
  now: Date.now,
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};
const pool = createRenderPool({ renderers: defaultRenderers(), clock });
after(() => pool.close());

type Files = Readonly<Record<string, string>>;

function gitTreeOf(files: Files): GitTree {
  const ids = new Map(Object.entries(files).map(([path, text]) => [path, sha1(text)]));
  return { ...treeOf(files), commit: sha1([...ids].join()), committedAt: undefined, oid: (path) => ids.get(path) };
}

function sha1(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}

/** One Application and its cluster, in which nothing else happens. */
function worldOf(files: Files) {
  const tree = gitTreeOf(files);
  const server = 'https://kubernetes.default.svc';
  const cache = createCache(() => {});
  const stored = new Map<string, KubeObject>();
  const requests = new PQueue({ concurrency: operatorLimits.requestsPerCluster });
  const answerOf = async <T>(answer: () => T): Promise<T> => {
    await nextTurn();
    return answer();
  };
  let app: Application = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop', namespace: 'argocd', uid: 'a' },
    spec: {
      project: 'default',
      source: { repoURL: 'https://git.example.com/shop.git', path: 'app', targetRevision: 'main' },
      destination: { server, namespace: 'shop' },
      syncPolicy: { automated: { prune: true, selfHeal: true } },
    },
  };
  const cluster = {
    ...cache,
    server,
    version: '1.37.2',
    apiVersions: ['v1'],
    scopeOf: () => 'Namespaced',
    serves: async () => true,
    covers: () => true,
    unseen: () => [],
    get: (key: ResourceKey) => requests.add(() => answerOf(() => stored.get(keyText(key)))),
    apply: (object: KubeObject) =>
      requests.add(() =>
        answerOf(() => {
          const key = keyOf(object);
          const end = cache.beginWrite(key);
          const resourceVersion = String(stored.size + 1);
          const answer = { ...object, metadata: { ...object.metadata, uid: keyText(key), resourceVersion } };
          stored.set(keyText(key), answer);
          end({ stored: recordOf(answer, healthOf) });
          return answer;
        }),
      ),
  };
  const world = {
    clock,
    random: { next: Math.random, id: () => '1' },
    git: { resolve: async () => ({ commit: tree.commit }), open: async () => tree },
    renderers: pool,
    clusters: {
      locate: () => ({ server, name: 'in-cluster', project: '' }),
      open: async () => cluster,
      isOutdated: () => false,
      followed: () => [cluster],
      forget: () => {},
      subscribe: () => () => {},
    },
    store: {
      namespace: 'argocd',
      application: () => app,
      applications: () => [app],
      project: () => openProject,
      repository: (url: string) => ({ url }),
      settings: () => quietSettings,
      async patchApplication(_: Application, patch: object) {
        await nextTurn();
        app = patched(app, patch) as Application;
        return app;
      },
    },
    leadership: { leads: () => true, leader: () => undefined, subscribe: () => () => {} },
    notifier: { notify: () => {} },
    telemetry: {
      tracer: untraced(),
      log: { debug() {}, info() {}, warn() {}, error() {} },
      metrics: noMetrics,
    },
  } as unknown as World;
  const traces = createTraces(untraced(), clock, operatorLimits);
  const memory: Memory = newMemory(createAppTrace({ namespace: 'argocd', name: 'shop' }, traces));
  return {
    stored,
    get app() {
      return app;
    },
    change(patch: object) {
      app = patched(app, patch) as Application;
    },
    /** Passes until there is nothing more to do. */
    async settle() {
      for (let pass = 0; pass < 10; pass += 1) {
        const action = await reconcile(app, world, memory);
        if (action.do === 'await' || action.afterMs > 0) return;
      }
    },
  };
}

/** A JSON merge patch (RFC 7396), applied. */
function patched(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = { ...(typeof target === 'object' ? target : {}) };
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete result[field];
    else result[field] = patched(result[field], value);
  }
  return result;
}

/** The longest time in milliseconds that this thread worked without a turn for others; time that the machine gave to others does not count. */
async function standstill(run: () => Promise<void>): Promise<number> {
  let isRunning = true;
  let longest = 0;
  const watching = (async () => {
    for (let last = workedMs(); isRunning; ) {
      await sleep(1);
      const now = workedMs();
      longest = Math.max(longest, now - last);
      last = now;
    }
  })();
  try {
    await run();
  } finally {
    isRunning = false;
    await watching;
  }
  return longest;
}

function workedMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

const megabyte = 1_000_000;
const configMap = (name: string, value: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {value: "${value}"}\n`;
const objects = (count: number, size: number): string =>
  Array.from({ length: count }, (_, index) => configMap(`c${index}`, 'v'.repeat(size))).join('---\n');
const chart = 'apiVersion: v2\nname: app\nversion: 1.0.0\n';
const range = (template: string): Files => ({
  'app/Chart.yaml': chart,
  'app/templates/all.yaml': template,
});
const kustomization = (text: string): Files => ({
  'app/kustomization.yaml': 'resources: [all.yaml]\n',
  'app/all.yaml': text,
});
const head = 'apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}\n';

interface Case {
  readonly name: string;
  readonly files: Files;
  /** How many objects there are then, or what is said of the source. */
  readonly comes: number | RegExp;
}

const cases: readonly Case[] = [
  {
    name: 'a chart of 2,000 objects',
    files: range(`{{ range until 2000 }}---\n${configMap('c{{ . }}', '{{ repeat 4000 "v" }}')}{{ end }}`),
    comes: 2_000,
  },
  {
    name: 'a chart of one object of 9 MB',
    files: range(configMap('a', `{{ repeat ${9 * megabyte} "v" }}`)),
    comes: /app\/templates\/all\.yaml.* more than 3 MiB/,
  },
  {
    name: 'a chart of one object of 3 MB that needs escapes',
    files: range(configMap('a', `{{ repeat ${megabyte} "\\\\n<" }}`)),
    comes: 1,
  },
  {
    name: 'a chart of one list of 2,000 objects',
    files: range(
      `apiVersion: v1\nkind: ConfigMapList\nitems:\n{{ range until 2000 }}- metadata: {name: c{{ . }}}\n  data: {a: "{{ repeat 4000 "v" }}"}\n{{ end }}`,
    ),
    comes: 2_000,
  },
  {
    name: 'a chart of one object of very many values',
    files: range(`${head}spec: [{{ repeat 300000 "[]," }}1]\n`),
    comes: /app\/templates\/all\.yaml.* more than 100000 values/,
  },
  {
    name: 'a chart of one object of 20,000 keys',
    files: range(`${head}spec:\n{{ range until 20000 }}  key-{{ . }}: v{{ . }}\n{{ end }}`),
    comes: 1,
  },
  {
    name: 'a chart that fails with 9 MB',
    files: range(`{{ fail (repeat ${9 * megabyte} "<") }}`),
    comes: /<<<< … <<<</,
  },
  { name: 'a kustomization of 400 objects', files: kustomization(objects(400, 10_000)), comes: 400 },
  {
    name: 'a kustomization of one object of 9 MB',
    files: kustomization(configMap('a', 'v'.repeat(9 * megabyte))),
    comes: /named "a" from app\/kustomization\.yaml has .* more than 3 MiB/,
  },
  { name: 'a file of 2,000 objects', files: { 'app/all.yaml': objects(2_000, 4_000) }, comes: 2_000 },
  {
    name: 'a file of 3 MB in one object',
    files: { 'app/all.yaml': configMap('a', 'v\\n'.repeat(megabyte)) },
    comes: 1,
  },
  {
    name: 'a broken file of 9 MB that is no manifest',
    files: { 'app/all.yaml': `${`kind metadata${' '.repeat(900)}apiVersion`.repeat(9_700)}\n[` },
    comes: 0,
  },
  {
    name: 'a broken file of 9 MB that is a manifest',
    files: { 'app/all.yaml': `${'# kind metadata apiVersion\n'.repeat(300_000)}${configMap('a', 'a')}[` },
    comes: /app\/all\.yaml, line \d+: broken YAML/,
  },
  {
    name: 'a file that nests deeply',
    files: { 'app/all.yaml': `${head}spec: ${'['.repeat(5_000_000)}` },
    comes: /more than 1000 levels/,
  },
];

describe('nobody waits', () => {
  for (const { name, files, comes } of cases) {
    test(`for ${name}`, async () => {
      const one = worldOf(files);
      const longest: Record<string, number> = {};
      longest['first'] = await standstill(one.settle);
      const conditions = (one.app.status?.conditions ?? [])
        .filter(({ type }) => type !== 'StatusTooLargeWarning')
        .map(({ message }) => message)
        .join('\n');
      if (typeof comes === 'number') {
        assert.equal(conditions, '');
        assert.equal(one.stored.size, comes);
        assert.equal(one.app.status?.sync?.status, 'Synced');
        longest['settled'] = await standstill(one.settle);
        one.change({ metadata: { annotations: { 'argocd.argoproj.io/refresh': 'hard' } } });
        longest['anew'] = await standstill(one.settle);
      } else assert.match(conditions, comes);
      for (const [pass, ms] of Object.entries(longest)) {
        assert.ok(ms < standstillMaxMs, `${pass}: the event loop stood still for ${ms} ms`);
      }
    });
  }
});
