import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { ApiError } from '../cluster/cluster.ts';
import { type Stage, startStage } from '../harness/stage.ts';
import { differencesIn } from './judge.ts';
import { appName, desiredOf, fileOf, namespace, pathOf, type Wish } from './wishes.ts';

const usage = `A storm of edits and commits over self-healing Applications, on a real Kubernetes; then a judge of its own compares every object with Git.

  node e2e/soak/main.ts [--minutes 2] [--applications 200] [--seed 1]

JSON lines on standard output, progress on standard error. Ends with 1 where an object differs 60 s after the storm.
`;

const managers = ['ann', 'ben', 'cleo', 'dan'];
const pauseMs = { edit: 40, commit: 1_500, judged: 60_000, start: 300_000 };
const tell = (line: string): void => void process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);

const options = readArguments();
const random = randomFrom(options.seed);
const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;

function readArguments(): Record<'minutes' | 'applications' | 'seed', number> {
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: 'string', default: '2' },
        applications: { type: 'string', default: '200' },
        seed: { type: 'string', default: '1' },
      },
    });
    const count = (name: keyof typeof values): number => {
      if (/^[1-9]\d{0,5}$/.test(values[name])) return Number(values[name]);
      throw new Error(`--${name} ${values[name]}: give a whole number from 1 on`);
    };
    return { minutes: count('minutes'), applications: count('applications'), seed: count('seed') };
  } catch (thrown) {
    process.stderr.write(`${thrown instanceof Error ? thrown.message : String(thrown)}\n\n${usage}`);
    process.exit(2);
  }
}

/** Numbers from 0 to 1 by a linear congruential generator. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Answers that say no more than that the object has gone or changed meanwhile, or has that very port already. */
const passing: ReadonlySet<unknown> = new Set([404, 409, 422]);
/** What Git says of each Application. */
const wishes = new Map<string, Wish>();
const edits: Record<string, number> = {};
let commits = 0;

/** One edit of one object by one of the managers; none where it is gone, or where somebody else was faster. */
async function edit({ cluster: { api } }: Stage): Promise<void> {
  const name = pick([...wishes.keys()]);
  const object = pick(desiredOf(name, wishes.get(name) as Wish));
  const query = `?fieldManager=${pick(managers)}`;
  const path = pathOf(object);
  const isService = object.kind === 'Service';
  const ways: Record<string, () => Promise<unknown>> = {
    patch: () =>
      isService
        ? api.call(
            'PATCH',
            path + query,
            [{ op: 'replace', path: '/spec/ports/0/port', value: 9_000 + Math.floor(random() * 99) }],
            {
              contentType: 'application/json-patch+json',
            },
          )
        : api.call(
            'PATCH',
            path + query,
            { data: { a: `hand ${random()}` } },
            { contentType: 'application/merge-patch+json' },
          ),
    undo: () => {
      const body = isService ? { metadata: { labels: object.metadata.labels } } : { data: object['data'] };
      return api.call('PATCH', path + query, body, { contentType: 'application/merge-patch+json' });
    },
    delete: () => api.call('DELETE', path),
    apply: () => {
      const { apiVersion, kind, metadata } = object;
      const change = isService ? {} : { data: { b: `applied ${random()}` } };
      const labels = { ...metadata.labels, part: 'applied' };
      const body = { apiVersion, kind, metadata: { name: metadata.name, labels }, ...change };
      return api.call('PATCH', `${path}${query}&force=true`, body, { contentType: 'application/apply-patch+yaml' });
    },
    replace: async () => {
      const live = await api.call('GET', path);
      live.metadata.labels = { ...live.metadata.labels, part: 'replaced' };
      if (!isService) live.data = { ...live.data, a: `put ${random()}` };
      return api.call('PUT', path + query, live);
    },
  };
  const way = pick(['patch', 'patch', 'undo', 'undo', 'apply', 'replace', 'delete']);
  try {
    await ways[way]?.();
    edits[way] = (edits[way] ?? 0) + 1;
  } catch (thrown) {
    if (!passing.has((thrown as ApiError).status)) throw thrown;
  }
}

async function storm(): Promise<number> {
  const stage = await startStage({ name: 'e2e-soak', node: 'none' });
  try {
    await stage.kube.create('/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace },
    });
    for (let index = 0; index < options.applications; index += 1)
      wishes.set(appName(index), { revision: 0, hasExtra: false });
    const files = Object.fromEntries([...wishes].map(([name, wish]) => fileOf(name, wish)));
    const repository = await stage.repository('soak', files);
    for (const name of wishes.keys())
      await stage.application(name, repository, {
        source: { repoURL: repository.url, path: name, targetRevision: 'main' },
        destination: { server: 'https://kubernetes.default.svc', namespace },
        syncPolicy: { automated: { prune: true, selfHeal: true } },
      });
    const isSynced = () => stage.view.all().every(({ status }) => status?.sync?.status === 'Synced');
    await stage.view.until('all are synced', isSynced, pauseMs.start);
    tell(`${options.applications} Applications are synced; the storm begins`);
    const end = performance.now() + options.minutes * 60_000;
    const repeat = async (run: () => Promise<void>, ms: number): Promise<void> => {
      while (performance.now() < end) {
        await run();
        await sleep(ms);
      }
    };
    const commit = async (): Promise<void> => {
      const name = pick([...wishes.keys()]);
      const before = wishes.get(name) as Wish;
      const wish = { revision: before.revision + 1, hasExtra: random() < 0.5 };
      wishes.set(name, wish);
      await stage.push(repository, Object.fromEntries([fileOf(name, wish)]));
      commits += 1;
    };
    await Promise.all([...managers.map(() => repeat(() => edit(stage), pauseMs.edit)), repeat(commit, pauseMs.commit)]);
    tell('the storm is over');
    await sleep(pauseMs.judged);
    const differences = await differencesIn(stage.kube, wishes);
    const unsettled = stage.view.all().filter(({ status }) => status?.sync?.status !== 'Synced').length;
    for (const difference of differences) process.stdout.write(`${JSON.stringify(difference)}\n`);
    const differ = new Set(differences.map(({ object }) => object)).size;
    process.stdout.write(`${JSON.stringify({ figure: 'soak', ...options, edits, commits, differ, unsettled })}\n`);
    return differ;
  } finally {
    await stage.close();
  }
}

process.exitCode = (await storm()) === 0 ? 0 : 1;
