import { hash } from 'node:crypto';
import {
  defaultLimits,
  followLinks,
  inSlices,
  isOn,
  type KubeObject,
  type Limits,
  type Manifest,
  RenderError,
  type Rendered,
  type Renderer,
  type RenderSpec,
  recordReads,
  type Tree,
} from '@mooring/renderer-contract';
import PQueue from 'p-queue';
import { Fault, messageOf } from '../../model/fault.ts';
import { maskAddress, maskUserInformation, maskValues } from '../../model/mask.ts';
import type { Clock } from '../../world/clock.ts';
import type { GitTree } from '../../world/git.ts';
import type { RenderAnswer, RenderPool, RenderRequest } from '../../world/renderer.ts';
import type { CacheFacts, RenderFacts } from '../../world/telemetry.ts';
import { createRenderCache } from './cache.ts';
import { recordSurroundings, rememberReads, sameReads, sameSurroundings } from './dependencies.ts';
import { applyOverrides } from './override.ts';
import { privateValues } from './private-values.ts';
import { createTurns } from './turns.ts';

/** Bounds of the pool, beside those of one render. */
export interface RenderPoolLimits extends Limits {
  readonly rendersAtOnce: number;
  /** Renders of engines at once, over all engines: each may take `memoryBytes`. */
  readonly enginesAtOnce: number;
  /** Bytes of JSON of all manifests that are remembered. */
  readonly cacheBytes: number;
  /** Outcomes remembered for one source, so that going back to the commit before renders nothing. */
  readonly resultsKept: number;
  /** Milliseconds that a render may take to end once its time is over. */
  readonly graceMs: number;
  /** Milliseconds after which a render of an engine makes room for others. */
  readonly sliceMs: number;
  /** Applications of which it is remembered that a limit ended their last render. */
  readonly limitedKept: number;
}

const renderPoolLimits: RenderPoolLimits = {
  ...defaultLimits,
  rendersAtOnce: 8,
  enginesAtOnce: 2,
  cacheBytes: 64 * 1024 * 1024,
  resultsKept: 2,
  graceMs: 2_000,
  sliceMs: 2_000,
  limitedKept: 10_000,
};

/** What `createRenderPool` is given. */
export interface RenderPoolOptions {
  /** In the order in which they are asked whether a folder is theirs. */
  readonly renderers: readonly Renderer[];
  readonly clock: Clock;
  readonly limits?: Partial<RenderPoolLimits>;
  /** What `argocd-cm` says about renderers, by its keys. The folders of one that is switched off (`helm.enable: "false"`) are rendered as directories, as in Argo CD. */
  readonly settings?: () => Readonly<Record<string, string>>;
  /** Whether a fault of what was rendered has it with it, in its cause. Never for the operator: it may hold secrets, and is large. */
  readonly debug?: boolean;
  readonly onRendered?: (facts: RenderFacts) => void;
}

/** A pool that can be looked at and closed. */
export interface OpenRenderPool extends RenderPool {
  caches(): readonly CacheFacts[];
  close(): Promise<void>;
}

/** Renders sources, several at once, and remembers the outcomes by what they depend on: a commit that touched nothing of it renders nothing. */
export function createRenderPool(options: RenderPoolOptions): OpenRenderPool {
  const { clock, renderers } = options;
  const limits: RenderPoolLimits = { ...renderPoolLimits, ...options.limits };
  const settings = options.settings ?? (() => ({}));
  const onRendered = options.onRendered ?? (() => {});
  const queue = new PQueue({ concurrency: limits.rendersAtOnce });
  const turnsOfOne = createTurns(clock, limits.sliceMs, limits.enginesAtOnce);
  const turns = new Map(
    renderers.flatMap((renderer) => (renderer.hasEngine === true ? [[renderer, turnsOfOne()] as const] : [])),
  );
  /** Whose last render was ended by a limit. */
  const limited = new Set<string>();
  const underway = new Map<string, Promise<RenderAnswer>>();
  /** The cache key of each Application's last render, as long as the cache has it. */
  const lastKeys = new Map<string, string>();
  const cache = createRenderCache(limits.cacheBytes, limits.resultsKept, (key) => {
    const name = nameOfKey(key);
    if (lastKeys.get(name) === key) lastKeys.delete(name);
  });
  const fields = new Set(renderers.map(({ optionsKey }) => optionsKey));
  const identities = new WeakMap<object, number>();
  let identitiesGiven = 0;

  /** The list of a cluster's APIs is long, and the same value until it changes. */
  const identityOf = (list: readonly string[]): number => {
    let identity = identities.get(list);
    if (identity === undefined) {
      identitiesGiven += 1;
      identity = identitiesGiven;
      identities.set(list, identity);
    }
    return identity;
  };

  const recall = async (key: string, tree: GitTree, request: RenderRequest): Promise<RenderAnswer | undefined> => {
    for (const result of cache.results(key)) {
      if (!sameSurroundings(result.surroundings, request) || !(await sameReads(result.reads, tree))) continue;
      cache.put(key, result);
      lastKeys.set(nameOf(request), key);
      if (result.outcome instanceof Fault) throw result.outcome;
      return result.outcome;
    }
    return undefined;
  };

  const renderNew = async (key: string, tree: GitTree, request: RenderRequest): Promise<RenderAnswer> => {
    const recorded = recordReads(boundReads(tree, limits));
    const recordedSpec = recordSurroundings({ ...request, settings: settings() });
    const remember = async (outcome: RenderAnswer | Fault, bytes: number): Promise<void> => {
      const reads = await rememberReads(tree, recorded.reads());
      cache.put(key, { reads, surroundings: recordedSpec.surroundings(), outcome, bytes: bytes + reads.length * 200 });
      lastKeys.set(nameOf(request), key);
    };
    try {
      await requireFolder(recorded.tree, tree, request);
      const active = renderers.filter(({ optionsKey }) => isOn(settings(), `${optionsKey}.enable`));
      const given =
        request.renderer === undefined ? {} : { [optionsKeyOf(renderers, request.renderer)]: request.options };
      const merged = await applyOverrides(recorded.tree, request.path, request.appName, given, fields);
      const renderer = await choose(renderers, active, recorded.tree, request, Object.keys(merged));
      const spec: RenderSpec = withOptions(recordedSpec.spec, merged[renderer.optionsKey] ?? {});
      const {
        manifests: made,
        warnings,
        notes,
      } = await inTurn(renderer, nameOf(request), (signal) =>
        runRenderer(renderer, recorded.tree, spec, options.debug === true, limits, clock, signal),
      );
      if (made.length > limits.manifestCount) {
        throw new RenderError(
          'limit',
          `more than ${limits.manifestCount} objects; split the application, or raise the limit manifestCount`,
        );
      }
      const { manifests, length } = await inSlices(withDigests(made));
      const answer: RenderAnswer = {
        manifests,
        warnings: warnings.length === 0 ? [] : withoutPrivate(warnings.join(apart), request).split(apart),
        ...(notes !== undefined && { notes }),
        sourceType: renderer.sourceType,
        rendered: false,
      };
      await remember(answer, length + (notes?.length ?? 0));
      return { ...answer, rendered: true };
    } catch (error) {
      const fault = renderFault(error, request);
      if (error instanceof RenderError && lasting.has(error.code)) await remember(fault, fault.message.length);
      throw fault;
    }
  };

  /** Runs a render when its turn has come. What waits for an engine keeps no place from others. */
  const inTurn = async (
    renderer: Renderer,
    name: string,
    run: (signal?: AbortSignal) => Promise<Rendered>,
  ): Promise<Rendered> => {
    try {
      const rendered = await (turns.get(renderer)?.take(run, limited.has(name)) ?? queue.add(() => run()));
      limited.delete(name);
      return rendered;
    } catch (error) {
      if (error instanceof RenderError && (error.code === 'timeout' || error.code === 'limit')) {
        limited.add(name);
        const [oldest] = limited;
        if (limited.size > limits.limitedKept && oldest !== undefined) limited.delete(oldest);
      }
      throw error;
    }
  };

  const measured = async (
    fresh: boolean,
    key: string,
    tree: GitTree,
    request: RenderRequest,
  ): Promise<RenderAnswer> => {
    const startedAt = clock.now();
    const recalled = fresh ? undefined : await recall(key, tree, request);
    const answer = recalled ?? (await renderNew(key, tree, request));
    onRendered({
      sourceType: answer.sourceType,
      cached: recalled !== undefined,
      durationMs: clock.now() - startedAt,
    });
    return answer;
  };

  return {
    async touches(tree, source) {
      const name = nameOf(source);
      const [last] = cache.results(lastKeys.get(name) ?? '');
      if (last !== undefined) return !(await sameReads(last.reads, tree));
      lastKeys.delete(name);
      return true;
    },
    render(tree, request, { fresh }) {
      const key = JSON.stringify([
        request.repository,
        request.path,
        request.renderer ?? '',
        request.appName,
        request.namespace,
        request.options,
        Object.keys(request.env).sort(),
        settings(),
      ]);
      // What fails without being remembered has read who knows what.
      lastKeys.delete(nameOf(request));
      const flight = JSON.stringify([
        key,
        fresh,
        tree.oid(''),
        request.kubeVersion,
        identityOf(request.apiVersions),
        request.env,
      ]);
      let answer = underway.get(flight);
      if (answer === undefined) {
        answer = measured(fresh, key, tree, request).finally(() => underway.delete(flight));
        underway.set(flight, answer);
      }
      return answer;
    },
    caches: () => [{ cache: 'renders', ...cache.size() }],
    async close() {
      queue.clear();
      cache.clear();
      await Promise.all(renderers.map((renderer) => renderer.close?.()));
    },
  };
}

/** Manifests with their digests, and about how many characters of JSON they are. */
function* withDigests(
  made: readonly Manifest[],
): Generator<number, { readonly manifests: readonly Manifest[]; readonly length: number }> {
  const manifests: Manifest[] = [];
  let sum = 0;
  for (const { object, origin } of made) {
    // A renderer of somebody else's may give anything.
    const { metadata, ...rest }: Partial<KubeObject> = { ...object };
    const text = JSON.stringify(rest);
    const length = text.length + JSON.stringify(metadata ?? null).length;
    manifests.push({ object, origin, digest: hash('sha256', text) });
    sum += length;
    yield length;
  }
  return { manifests, length: sum };
}

/** The name of whom a cache key is for. */
function nameOfKey(key: string): string {
  const [repository, , , appName] = JSON.parse(key) as readonly [string, string, string, string];
  return nameOf({ repository, appName });
}

function nameOf({ repository, appName }: Pick<RenderRequest, 'repository' | 'appName'>): string {
  return `${repository} ${appName}`;
}

/** Failures that the same input always ends in. */
const lasting: ReadonlySet<string> = new Set([
  'not-found',
  'outside-tree',
  'syntax',
  'template',
  'build',
  'invalid',
  'unsupported',
]);

/** `{ ...spec }` would look at everything in it. */
function withOptions(spec: RenderSpec, options: Readonly<Record<string, unknown>>): RenderSpec {
  return Object.defineProperties(
    {},
    { ...Object.getOwnPropertyDescriptors(spec), options: { value: options, enumerable: true } },
  ) as RenderSpec;
}

function optionsKeyOf(renderers: readonly Renderer[], name: string): string {
  return renderers.find((renderer) => renderer.name === name)?.optionsKey ?? name;
}

async function requireFolder(tree: Tree, { commit }: GitTree, { path, repository }: RenderRequest): Promise<void> {
  const shown = JSON.stringify(path);
  const place = `in ${maskAddress(repository)} at ${commit.slice(0, 12)}`;
  let type: string | undefined;
  try {
    type = (await tree.stat(await followLinks(tree, path)))?.type;
  } catch (error) {
    if (!(error instanceof RenderError) || error.code !== 'not-found') throw error;
  }
  if (type === 'directory') return;
  const fault = type === undefined ? 'does not exist' : 'is a file, not a folder';
  throw new Fault('render-failed', `app path ${shown} ${fault} ${place}; correct spec.source.path, or add the folder`, {
    path,
  });
}

/** The renderer that the spec asks for; else the first that knows the folder. */
async function choose(
  all: readonly Renderer[],
  active: readonly Renderer[],
  tree: Tree,
  request: RenderRequest,
  options: readonly string[],
): Promise<Renderer> {
  if (options.length > 1) {
    throw new RenderError('invalid', `the source has options for ${options.join(' and ')}; keep those of one renderer`);
  }
  const [wanted] = options;
  if (wanted !== undefined) {
    const named = all.find(
      ({ name }) => name === request.renderer && active.some((renderer) => renderer.name === name),
    );
    const found = named?.optionsKey === wanted ? named : active.find(({ optionsKey }) => optionsKey === wanted);
    if (found !== undefined) return found;
    if (all.some(({ optionsKey }) => optionsKey === wanted)) {
      const directory = active.find(({ sourceType }) => sourceType === 'Directory');
      if (directory !== undefined) return directory;
    } else {
      const known = all.map(({ optionsKey }) => optionsKey).join(', ');
      throw new RenderError('unsupported', `there is no renderer for spec.source.${wanted}; there are ${known}`);
    }
  }
  for (const renderer of active) if (await renderer.detect(tree, request.path)) return renderer;
  throw new RenderError(
    'unsupported',
    `no renderer knows what is in ${JSON.stringify(request.path)}; asked were ${active.map(({ name }) => name).join(', ')}`,
  );
}

async function runRenderer(
  renderer: Renderer,
  tree: Tree,
  spec: RenderSpec,
  debug: boolean,
  limits: RenderPoolLimits,
  clock: Clock,
  stop?: AbortSignal,
): Promise<Rendered> {
  const late = new RenderError(
    'timeout',
    `it took longer than ${limits.timeMs / 1000} s; make it smaller, or raise the limit timeMs`,
  );
  const timeout = new AbortController();
  let cancelGrace = (): void => {};
  const cancelTimeout = clock.after(limits.timeMs, () => timeout.abort(late));
  const overrun = new Promise<never>((_resolve, reject) => {
    timeout.signal.addEventListener('abort', () => {
      cancelGrace = clock.after(limits.graceMs, () => reject(late));
    });
  });
  try {
    const signal = stop === undefined ? timeout.signal : AbortSignal.any([timeout.signal, stop]);
    return await Promise.race([renderer.render(tree, spec, { limits, signal, ...(debug && { debug }) }), overrun]);
  } catch (error) {
    if (timeout.signal.aborted) throw late;
    if (stop?.aborted === true) throw stop.reason;
    if (error instanceof RenderError || error instanceof Fault) throw error;
    throw new RenderError('crashed', `the renderer ${renderer.name} failed: ${messageOf(error)}`, { cause: error });
  } finally {
    cancelTimeout();
    cancelGrace();
  }
}

/**
 * A tree of which only so many files, and bytes of files, can be read. One file is read after the other, so that no more than one is held beyond the bound: a
 * thousand links may lead to one large file.
 */
function boundReads(tree: Tree, { fileCount, inputBytes }: Limits): Tree {
  let reads = 0;
  let bytes = 0;
  let last: Promise<unknown> = Promise.resolve();
  const refuse = (what: string, limit: string, file: string): RenderError =>
    new RenderError('limit', `more than ${what} are read; split the application, or raise the limit ${limit}`, {
      file,
    });
  const readNext = async (path: string): Promise<Uint8Array> => {
    if (bytes > inputBytes) throw refuse(`${inputBytes} bytes of files`, 'inputBytes', path);
    const file = await tree.read(path);
    bytes += file.length;
    if (bytes > inputBytes) throw refuse(`${inputBytes} bytes of files`, 'inputBytes', path);
    return file;
  };
  return {
    stat: (path) => tree.stat(path),
    list: (path) => tree.list(path),
    async read(path) {
      reads += 1;
      if (reads > fileCount) throw refuse(`${fileCount} files`, 'fileCount', path);
      const file = last.then(() => readNext(path));
      last = file.catch(() => undefined);
      return file;
    },
  };
}

/** Stands between texts that are looked at together. */
const apart = '\u0000';

function withoutPrivate(text: string, request: RenderRequest): string {
  return maskUserInformation(maskValues(text, privateValues(request)));
}

/** What became of a render, for the user: names the source's folder, the file and the line, and repeats nothing private of the source. An error that is no `RenderError` is given back as it is. */
function renderFault(error: unknown, request: RenderRequest): Fault {
  if (error instanceof Fault) return error;
  if (!(error instanceof RenderError)) throw error;
  const { code, file, line } = error;
  const place = file === undefined ? '' : line === undefined ? file : `${file}:${line}`;
  const isNamed = [place, `${file}, line ${line}`, `${file}, document `].some((name) => error.message.includes(name));
  const named = isNamed ? error.message : `${place}: ${error.message}`;
  const said = withoutPrivate(named, request);
  return new Fault(
    code === 'limit' || code === 'timeout' ? 'render-limit' : 'render-failed',
    `cannot render ${JSON.stringify(request.path || '.')} of ${maskAddress(request.repository)}: ${said}`,
    { path: request.path, reason: code, file, line },
    error,
  );
}
