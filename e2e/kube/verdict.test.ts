import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Application } from '@mooring/crds';
import { type CompareContext, compare } from '@mooring/operator/controllers/application/compare.ts';
import type { Change } from '@mooring/operator/model/change.ts';
import type { DesiredObject } from '@mooring/operator/model/desired.ts';
import { Fault } from '@mooring/operator/model/fault.ts';
import { hashOf } from '@mooring/operator/model/hash.ts';
import { canonicalJson, copyJson, isJsonObject, valueAt } from '@mooring/operator/model/json.ts';
import { keyOf, keyText } from '@mooring/operator/model/resource-key.ts';
import { syncOptionsOf } from '@mooring/operator/model/sync-options.ts';
import type { Cluster as View } from '@mooring/operator/world/cluster.ts';
import type { KubeObject } from '@mooring/renderer-contract';
import type { ApiError } from '../cluster/api.ts';
import { type Cluster, type Json, startCluster } from '../cluster/cluster.ts';
import { bases } from './fields/bases.ts';
import { type Candidate, candidatesOf, readSchemas } from './fields/schema.ts';
import { configMap, tracked, until, type Watched, watchCluster } from './fixture.ts';
import { appliedFields, configMapStory, deploymentStory, ofPeople, type Story, serviceStory } from './histories.ts';

const namespace = 'verdict';
const app = { metadata: { name: 'verdict', namespace: 'argocd' }, spec: {} } as Application;
let real: Cluster;
let view: Watched;

before(async () => {
  real = await startCluster({ name: 'kube-verdict', node: 'none' });
  view = await watchCluster(real);
  await real.api.call('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
  await until(
    'the service account is there',
    () =>
      view.cluster.tracked('') !== undefined &&
      view.cluster.record({ group: '', kind: 'ServiceAccount', namespace, name: 'default' }) !== undefined,
  );
});
after(async () => {
  await view?.close();
  await real?.stop();
});

function desiredOf(object: KubeObject, syncOptions: readonly string[] = []): DesiredObject {
  return {
    key: keyOf(object),
    object,
    hash: hashOf(object),
    origin: { path: 'all.yaml' },
    wave: 0,
    options: syncOptionsOf(syncOptions, undefined),
  };
}

/** A cluster as a process sees it that has just started. */
function fresh(cluster: View): View {
  return { ...cluster, mark: () => undefined, setMark() {}, dropMark() {}, want() {} };
}

async function verdict(cluster: View, desired: DesiredObject, revisionChanged = true): Promise<Change['action']> {
  const context: CompareContext = {
    tracking: 'verdict',
    guard: () => undefined,
    revisionChanged,
    thorough: 'no',
    namespace: () => undefined,
    kept: undefined,
    ignoreDifferences: [],
    asks: 'rest',
  };
  const { changes } = await compare(app, { objects: [desired], warnings: [] }, cluster, context);
  return changes.changes.find(({ key }) => keyText(key) === keyText(desired.key))?.action ?? 'none';
}

function apply({ object, options }: DesiredObject): Promise<KubeObject> {
  const how = options.replace ? 'replace' : 'server-side';
  return view.cluster.apply(object, { how, validate: true, guard: () => undefined });
}

const merge = 'application/merge-patch+json';

/** What there is besides its names and its status; controllers write both. */
function contentOf({ status: _, metadata: __, ...content }: KubeObject): string {
  return canonicalJson(content);
}

/** What a candidate comes to: undefined where all is well, and the reason where the server doesn't take it. */
async function tryField(base: KubeObject, candidate: Candidate, index: number): Promise<'fine' | 'refused' | string> {
  const named = (object: KubeObject): DesiredObject => {
    const own = copyJson(object);
    own.metadata.name = `${object.metadata.name}-${index}`;
    if (own.metadata.namespace !== undefined) own.metadata.namespace = namespace;
    return desiredOf(tracked('verdict', own));
  };
  const told = `${base.kind}${candidate.pointer}: ${JSON.stringify(candidate.value)}`;
  const first = await apply(named(base));
  const wish = named(candidate.object);
  const found = await verdict(fresh(view.cluster), wish);
  let second: KubeObject;
  try {
    second = await apply(wish);
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code.startsWith('object-')) return 'refused';
    throw thrown;
  }
  // What changes nothing that is stored need not be found.
  if (found !== 'update' && contentOf(first) !== contentOf(second)) return `${told} is not found`;
  const quiet = await verdict(fresh(view.cluster), wish);
  return quiet === 'none' ? 'fine' : `${told} is not quiet`;
}

test('every field of the built-in kinds, empty or not, is found when it is added, applied, and then quiet', {
  timeout: 400_000,
}, async () => {
  const schemas = await readSchemas((path) => real.api.call('GET', path) as Promise<Json>);
  const work = bases.flatMap((base) => candidatesOf(base, schemas).map((candidate) => ({ base, candidate })));
  const wrong: string[] = [];
  let fine = 0;
  let refused = 0;
  const queue = [...work.entries()];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [index, { base, candidate }] = next;
      const outcome = await tryField(base, candidate, index);
      if (outcome === 'fine') fine += 1;
      else if (outcome === 'refused') refused += 1;
      else wrong.push(outcome);
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  assert.deepEqual(wrong.sort(), []);
  assert.ok(fine > 400, `${fine} of ${work.length} fields were taken, ${refused} refused`);
});

test('an object that was applied client-side is not out of sync for an explicit zero that the server drops, and is for one that it keeps', async () => {
  const plain = (name: string, spec: Record<string, unknown>): KubeObject =>
    tracked('verdict', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: { app: name } },
          spec: { containers: [{ name: 'web', image: 'web:1' }], ...spec },
        },
      },
    });
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments?fieldManager=argocd-controller`;
  const zeros = { hostNetwork: false, hostPID: false };
  await real.api.call('POST', path, plain('dropped', zeros) as unknown as Json);
  await real.api.call('POST', path, plain('kept', {}) as unknown as Json);
  await until('both are seen', () =>
    ['dropped', 'kept'].every((name) => view.cluster.record(keyOf(plain(name, {}))) !== undefined),
  );
  assert.equal(await verdict(view.cluster, desiredOf(plain('dropped', zeros))), 'none');
  assert.equal(
    await verdict(view.cluster, desiredOf(plain('kept', { automountServiceAccountToken: false }))),
    'update',
  );
});

test('what an admission policy rewrites is as wished, whoever remembers it, until the policy goes', async (t) => {
  const policies = '/apis/admissionregistration.k8s.io/v1';
  const policy = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicy',
    metadata: { name: 'rewrite' },
    spec: {
      matchConstraints: {
        resourceRules: [
          { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] },
        ],
      },
      matchConditions: [{ name: 'named', expression: "object.metadata.name.startsWith('rewritten')" }],
      reinvocationPolicy: 'Never',
      mutations: [
        {
          patchType: 'ApplyConfiguration',
          applyConfiguration: { expression: "Object{data: {'value': 'by the policy'}}" },
        },
      ],
    },
  };
  await real.api.call('POST', `${policies}/mutatingadmissionpolicies`, policy);
  const binding = { metadata: { name: 'rewrite' }, spec: { policyName: 'rewrite' } };
  await real.api.call('POST', `${policies}/mutatingadmissionpolicybindings`, binding);
  const wish = (name: string, value: string): KubeObject => tracked('verdict', configMap(name, { value }, namespace));
  await until('the policy is in force', async () => {
    const stored = await view.cluster.apply(wish('rewritten-probe', `${Math.random()}`), {
      how: 'server-side',
      validate: true,
      guard: () => undefined,
    });
    return valueAt(stored, 'data', 'value') === 'by the policy';
  });
  for (const options of [[], ['Replace=true']]) {
    await t.test(`with ${options.join() || 'server-side apply'}`, async () => {
      const desired = desiredOf(wish(`rewritten-${options.length}`, 'of Git'), options);
      await apply(desired);
      for (const cluster of [view.cluster, fresh(view.cluster)]) assert.equal(await verdict(cluster, desired), 'none');
      const path = `/api/v1/namespaces/${namespace}/configmaps/${desired.key.name}`;
      await real.api.call('PATCH', path, { data: { more: 'of somebody' } }, { contentType: merge });
      for (const cluster of [view.cluster, fresh(view.cluster)]) assert.equal(await verdict(cluster, desired), 'none');
    });
  }
  await real.api.call('DELETE', `${policies}/mutatingadmissionpolicybindings/rewrite`);
  const desired = desiredOf(wish('rewritten-0', 'of Git'));
  await until('the policy is out of force', async () => (await verdict(fresh(view.cluster), desired)) === 'update');
  assert.equal(view.isOutdated('verdict'), true, 'the next look anew asks again');
});

/** A random number from 0 to below `bound`, the same each run. */
function dice(seed = 7): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % bound;
  };
}

test('after every edit of a random history the verdict is that of a process which has just started, and is right', async () => {
  const roll = dice();
  const wanted = desiredOf(
    tracked('verdict', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'history', namespace, labels: { tier: 'web' } },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: 'history' } },
        template: {
          metadata: { labels: { app: 'history' } },
          spec: { containers: [{ name: 'web', image: 'web:1', env: [{ name: 'A', value: '1' }] }] },
        },
      },
    }),
  );
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/history`;
  const patch = (body: Json, type = merge, target = path) =>
    real.api.call('PATCH', target, body, { contentType: type });
  const container = (fields: Json): Json => ({
    spec: { template: { spec: { containers: [{ name: 'web', ...(fields as object) }] } } },
  });
  const strategic = 'application/strategic-merge-patch+json';
  const server = 'application/apply-patch+yaml';
  const minimal = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'history' } };
  const images = ['web:1', 'web:2'] as const;
  const edits: readonly ((choice: number) => Promise<unknown>)[] = [
    (choice) => patch(container({ image: images[choice] ?? '' }), strategic),
    (choice) => patch(container({ env: [{ name: 'A', value: String(choice + 1) }] }), strategic),
    (choice) => patch({ metadata: { labels: { tier: choice === 0 ? 'web' : 'edge' } } }),
    (choice) => patch({ metadata: { labels: { tier: choice === 0 ? null : 'web' } } }),
    (choice) => patch({ spec: { replicas: choice } }, merge, `${path}/scale`),
    (choice) => patch({ ...minimal, spec: { replicas: choice } }, server, `${path}?fieldManager=hand&force=true`),
    async (choice) => {
      const live = (await real.api.call('GET', path)) as unknown as KubeObject;
      (live['spec'] as { replicas: number }).replicas = choice;
      delete live.metadata.resourceVersion;
      return real.api.call('PUT', `${path}?fieldManager=put`, live as unknown as Json);
    },
    () => patch({ metadata: { annotations: { 'example.com/note': String(roll(100)) } } }),
    () => apply(wanted),
  ];
  await apply(wanted);
  let told = await verdict(view.cluster, wanted, false);
  view.changes.length = 0;
  const seen = { none: 0, update: 0 };
  for (let step = 0; step < 150; step += 1) {
    const edit = edits[roll(edits.length)];
    await edit?.(roll(2));
    const live = (await real.api.call('GET', path)) as unknown as KubeObject;
    const isSeen = () =>
      Number(view.cluster.record(wanted.key)?.resourceVersion) >= Number(live.metadata.resourceVersion);
    await until('the edit is seen', isSeen);
    // An operator looks when it is told; after its own write it always does.
    if (view.changes.splice(0).length > 0 || edit === edits.at(-1)) told = await verdict(view.cluster, wanted, false);
    const isEqual = contains(live, wanted.object);
    seen[isEqual ? 'none' : 'update'] += 1;
    assert.equal(
      await verdict(fresh(view.cluster), wanted, false),
      isEqual ? 'none' : 'update',
      `step ${step}, a new process`,
    );
    assert.equal(told, isEqual ? 'none' : 'update', `step ${step}, who saw it all`);
  }
  assert.ok(seen.none > 20 && seen.update > 20, `${seen.none} equal, ${seen.update} not`);
});

/** How many histories of each kind are played; by hand some hundreds with `HISTORIES=200`. */
const histories = Number(process.env['HISTORIES'] ?? 2);
const historySteps = 60;

for (const [kind, storyOf, apiVersion] of [
  ['Deployment', deploymentStory, 'apps/v1'],
  ['Service', serviceStory, 'v1'],
  ['ConfigMap', configMapStory, 'v1'],
] as const) {
  test(`whatever others and Git do to a ${kind}, who saw it all and who has just started say what an apply would do`, {
    timeout: 60_000 * histories,
  }, async () => {
    const wrong: string[] = [];
    const seen = { none: 0, update: 0, create: 0 };
    for (let seed = 1; seed <= histories; seed += 1) {
      const name = `story-${kind.toLowerCase()}-${seed}`;
      const base = tracked('verdict', { apiVersion, kind, metadata: { name, namespace, labels: { tier: 'web' } } });
      const found = await playHistory(storyOf(real.api, base), dice(seed * 7_919), seen);
      if (found !== undefined) wrong.push(`seed ${seed}: ${found}`);
    }
    assert.deepEqual(wrong, []);
    assert.ok(seen.none > histories * 5 && seen.update > histories * 5 && seen.create > 0, JSON.stringify(seen));
  });
}

/** Plays one history, and answers what was wrong first. */
async function playHistory(
  { path, wishes, edits }: Story,
  roll: (bound: number) => number,
  seen: Record<'none' | 'update' | 'create', number>,
): Promise<string | undefined> {
  const wanted = wishes.map((wish) => desiredOf(wish));
  let [wish] = wanted as [DesiredObject];
  let synced: DesiredObject | undefined;
  const told = { action: await verdict(view.cluster, wish) };
  view.changes.length = 0;
  const story: string[] = [];
  for (let step = 0; step < historySteps; step += 1) {
    const what = roll(edits.length + 6);
    const edit = edits[what];
    let isOwn = edit === undefined;
    if (edit !== undefined) {
      const choice = roll(2);
      story.push(`${edit.name} ${choice}`);
      try {
        await edit.run(choice, await find(path));
      } catch (thrown) {
        if (![404, 409, 422].includes((thrown as ApiError).status)) throw thrown;
        story.push('(refused)');
      }
    } else if (what === edits.length) {
      wish = wanted[roll(wanted.length)] ?? wish;
      story.push(`commit ${wanted.indexOf(wish)}`);
    } else {
      story.push('sync');
      try {
        await apply(wish);
        synced = wish;
      } catch (thrown) {
        if (!(thrown instanceof Fault)) throw thrown;
        story.push(`(refused: ${thrown.message})`);
        isOwn = true;
      }
    }
    const live = await find(path);
    await until('the edit is seen', () => {
      const record = view.cluster.record(wish.key);
      return live === undefined
        ? record === undefined
        : Number(record?.resourceVersion) >= Number(live.metadata.resourceVersion);
    });
    const revisionChanged = wish !== synced;
    // An operator looks when it is told, after its own write, and at each commit.
    if (view.changes.splice(0).length > 0 || isOwn) told.action = await verdict(view.cluster, wish, revisionChanged);
    const right = await judged(live, wish);
    const anew = await verdict(fresh(view.cluster), wish, revisionChanged);
    seen[right] += 1;
    if (anew !== right || told.action !== right)
      return `${right} is right, a new process says ${anew}, who saw it all ${told.action}: ${story.join(', ')}`;
  }
  return undefined;
}

async function find(path: string): Promise<KubeObject | undefined> {
  try {
    return (await real.api.call('GET', path)) as KubeObject;
  } catch (thrown) {
    if ((thrown as ApiError).status !== 404) throw thrown;
    return undefined;
  }
}

/** What an apply would do, by the API server's own word. */
async function judged(live: KubeObject | undefined, wish: DesiredObject): Promise<'none' | 'update' | 'create'> {
  if (live === undefined) return 'create';
  try {
    const answer = await view.cluster.apply(wish.object, {
      how: 'server-side',
      dryRun: true,
      validate: true,
      guard: () => undefined,
    });
    const isSame = canonicalJson(ofPeople(answer)) === canonicalJson(ofPeople(live));
    const kept = appliedFields(answer);
    // What is asked for no more, and is another's too, stays, and is ours no more.
    return isSame && [...appliedFields(live)].every((field) => kept.has(field)) ? 'none' : 'update';
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    return 'update';
  }
}

/** Whether everything that is asked for is there; fields of others are theirs. */
function contains(live: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) return Array.isArray(live) && wanted.every((item, index) => contains(live[index], item));
  if (!isJsonObject(wanted)) return live === wanted;
  return isJsonObject(live) && Object.entries(wanted).every(([field, value]) => contains(live[field], value));
}
