import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Application } from '@mooring/crds';
import { type CompareContext, compare } from '@mooring/operator/controllers/application/compare.ts';
import type { Change } from '@mooring/operator/model/change.ts';
import type { DesiredObject } from '@mooring/operator/model/desired.ts';
import { Fault } from '@mooring/operator/model/fault.ts';
import { hashOf } from '@mooring/operator/model/hash.ts';
import { canonicalJson, isJsonObject, valueAt } from '@mooring/operator/model/json.ts';
import { keyOf, keyText } from '@mooring/operator/model/resource-key.ts';
import { syncOptionsOf } from '@mooring/operator/model/sync-options.ts';
import type { Cluster as View } from '@mooring/operator/world/cluster.ts';
import type { KubeObject } from '@mooring/renderer-contract';
import type { ApiError } from '../cluster/api.ts';
import { type Cluster, type Json, startCluster } from '../cluster/cluster.ts';
import { bases, notKept, turn } from './fields/bases.ts';
import { type Candidate, type Level, levelsOf, readSchemas, withValues } from './fields/schema.ts';
import { configMap, tracked, until, type Watched, watchCluster } from './fixture.ts';
import { appliedFields, configMapStory, deploymentStory, ofPeople, type Story, serviceStory } from './histories.ts';

const namespace = 'verdict';
const app = { metadata: { name: 'verdict', namespace: 'argocd' }, spec: {} } as Application;
let real: Cluster;
let view: Watched;

before(async () => {
  real = await startCluster({ name: 'kube-verdict', node: 'none' });
  view = await watchCluster(real, real.server, { kinds: { isExcluded: () => false, subscribe: () => () => {} } });
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

/**
 * Every field of every kind takes minutes, so a run takes every `shares`th place, another share each day. `FIELDS=all` takes all, `FIELDS=3` the third share, and
 * `FIELDS=Deployment` what begins so: `FIELDS=Deployment/spec/template` is a part of one kind.
 */
const shares = 16;
/** Places at a time. */
const atOnce = 8;

const fieldsWish = process.env['FIELDS'] ?? String(Math.floor(Date.now() / 86_400_000) % shares);
/** Whether it is of all kinds alike. */
const isSpread = /^(all|\d+)$/.test(fieldsWish);

function chosenLevels(levels: readonly Level[]): readonly Level[] {
  if (fieldsWish === 'all') return levels;
  if (/^\d+$/.test(fieldsWish)) return levels.filter((_, index) => index % shares === Number(fieldsWish));
  const some = levels.filter(({ object, pointer }) => `${object.kind}${pointer}`.startsWith(fieldsWish));
  assert.ok(
    some.length > 0,
    `FIELDS=${fieldsWish}: give all, the number of a share, or a place such as Deployment/spec`,
  );
  return some;
}

/** How often each base was made. */
const turns = new Map<string, number>();

/** Another object of the same content. */
function another(object: KubeObject): (content: KubeObject) => DesiredObject {
  const kind = `${object.apiVersion}/${object.kind}`;
  const count = (turns.get(kind) ?? 0) + 1;
  turns.set(kind, count);
  return (content) => {
    const own = JSON.parse(JSON.stringify(content).replaceAll(turn, String(count))) as KubeObject;
    if (own.metadata.namespace !== undefined) own.metadata.namespace = namespace;
    return desiredOf(tracked('verdict', own));
  };
}

/** Applies, again where a controller came between; undefined where the API server refuses. */
async function applied(wish: DesiredObject): Promise<KubeObject | undefined> {
  for (;;) {
    try {
      return await apply(wish);
    } catch (thrown) {
      if (!(thrown instanceof Fault)) throw thrown;
      if (thrown.code === 'object-conflict') continue;
      if (thrown.code !== 'object-refused' && thrown.code !== 'cluster-refused') throw thrown;
      return undefined;
    }
  }
}

async function removed({ key }: DesiredObject): Promise<void> {
  const record = view.cluster.record(key);
  if (record === undefined) return;
  await view.cluster.remove(record, { propagation: 'background', guard: () => undefined });
}

/** What the candidates of levels came to. */
interface Fields {
  taken: number;
  /** Of them, those that change nothing that is stored. */
  idle: number;
  /** Of them, those that are stored in another way than they are written. */
  rewritten: number;
  refused: number;
  readonly wrong: string[];
}

/** Whether a new process finds the candidate, and whether the API server refuses it, as far as it is asked. */
async function looked(wish: DesiredObject, live: KubeObject): Promise<{ isFound: boolean; isRefused: boolean }> {
  let isRefused = false;
  const cluster: View = {
    ...fresh(view.cluster),
    get: async () => live,
    apply: async (object, options) => {
      for (;;) {
        try {
          return await view.cluster.apply(object, options);
        } catch (thrown) {
          if (thrown instanceof Fault && thrown.code === 'object-conflict') continue;
          isRefused ||= thrown instanceof Fault && thrown.code === 'object-refused';
          throw thrown;
        }
      }
    },
  };
  return { isFound: (await verdict(cluster, wish)) === 'update', isRefused };
}

/** An object of a level that is there, in one of the ways that the API server takes, and what else it may have. */
interface Made {
  readonly object: KubeObject;
  readonly own: (content: KubeObject) => DesiredObject;
  readonly live: KubeObject;
  readonly candidates: readonly Candidate[];
}

async function made({ object, candidates, ways }: Level): Promise<Made | undefined> {
  for (const way of [undefined, ...ways]) {
    const content = way === undefined ? object : withValues(object, [way]);
    const own = another(object);
    const live = await applied(own(content));
    if (live === undefined) continue;
    const field = way?.path.at(-1);
    return { object: content, own, live, candidates: candidates.filter(({ path }) => path.at(-1) !== field) };
  }
  return undefined;
}

/** Adds each candidate of a level: it must be found, and all that the API server takes together must be applied then, and quiet. */
async function tryLevel(level: Level, fields: Fields): Promise<void> {
  const place = await made(level);
  fields.refused += level.candidates.length - (place?.candidates.length ?? 0);
  if (place === undefined) return;
  const { object, own, live } = place;
  const told = ({ path, value }: Candidate): string => `${object.kind}/${path.join('/')}: ${JSON.stringify(value)}`;
  const found: Candidate[] = [];
  const unfound: Candidate[] = [];
  for (const candidate of place.candidates) {
    const { isFound, isRefused } = await looked(own(withValues(object, [candidate])), live);
    if (isRefused) fields.refused += 1;
    else (isFound ? found : unfound).push(candidate);
  }
  await removed(own(object));
  const isEmpty = ({ path, value }: Candidate): boolean =>
    level.candidates.find((one) => one.path.at(-1) === path.at(-1))?.value === value;
  /** Applies several to an object of their own; where something is wrong, half of them at a time. */
  const together = async (some: readonly Candidate[], areFound: boolean): Promise<void> => {
    if (some.length === 0) return;
    const mine = another(object);
    const before = await applied(mine(object));
    const wish = mine(withValues(object, some));
    const stored = await applied(wish);
    const isChanged = stored !== undefined && before !== undefined && contentOf(before) !== contentOf(stored);
    const isQuiet = stored !== undefined && (await verdict(fresh(view.cluster), wish)) === 'none';
    await removed(wish);
    const isThere = stored !== undefined && contains(stored, wish.object);
    if (stored !== undefined && isQuiet && (areFound ? isThere || some.length === 1 : !isChanged)) {
      fields.taken += some.length;
      if (!areFound) fields.idle += some.length;
      else if (!isThere) fields.rewritten += 1;
      return;
    }
    const [only] = some;
    if (some.length > 1) {
      const half = Math.ceil(some.length / 2);
      await together(some.slice(0, half), areFound);
      await together(some.slice(half), areFound);
    } else if (stored === undefined) fields.refused += 1;
    else if (only !== undefined) fields.wrong.push(`${told(only)} is not ${isQuiet ? 'found' : 'quiet'}`);
  };
  await together(found.filter(isEmpty), true);
  await together(
    found.filter((one) => !isEmpty(one)),
    true,
  );
  await together(unfound.filter(isEmpty), false);
  await together(
    unfound.filter((one) => !isEmpty(one)),
    false,
  );
}

test('every field of every built-in kind, at any depth, empty or not, is found when it is added, applied, and then quiet', {
  timeout: 1_800_000,
}, async (context) => {
  const schemas = await readSchemas((path) => real.api.call('GET', path) as Promise<Json>);
  const tried = new Set(bases.map(({ apiVersion, kind }) => `${apiVersion}/${kind}`));
  const unknown = [...schemas.created].filter((kind) => !tried.has(kind) && notKept[kind] === undefined);
  assert.deepEqual(unknown, [], 'kinds that need a base');
  const levels = bases.flatMap((base) => levelsOf(base, schemas));
  const some = chosenLevels(levels);
  const fields: Fields = { taken: 0, idle: 0, rewritten: 0, refused: 0, wrong: [] };
  // One iterator for all workers: each takes what is next.
  const queue = some.values();
  const worker = async (): Promise<void> => {
    for (const level of queue) await tryLevel(level, fields);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const { taken, idle, rewritten, refused, wrong } = fields;
  context.diagnostic(
    `${tried.size} kinds, ${some.length} places of ${levels.length}: ${taken} values taken (${idle} change nothing, ${rewritten} are stored in another way), ${refused} refused`,
  );
  assert.deepEqual(wrong.sort(), []);
  if (!isSpread) return;
  assert.ok(taken > some.length, `only ${taken} values of ${some.length} places are taken`);
  assert.ok(refused < 5 * some.length, `${refused} values of ${some.length} places are refused`);
  assert.ok(
    idle < taken / 2 && rewritten < taken / 3,
    `${idle} change nothing, ${rewritten} are stored in another way`,
  );
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
