import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  followLinks,
  inSlices,
  isOn,
  joinPath,
  type Limits,
  type Manifest,
  objectBytesMax,
  type ParsedManifest,
  type Read,
  type RenderContext,
  RenderError,
  type Rendered,
  type Renderer,
  type RenderSpec,
  readManifests,
  type Tree,
  type TreeEntry,
} from '@mooring/renderer-contract';
import { detect } from './detect.ts';
import { compileGlob } from './glob.ts';
import { type DirectoryOptions, parseOptions } from './options.ts';

/** A folder of YAML and JSON files: what Argo CD calls a `Directory` source. Jsonnet is refused. */
export const plainRenderer: Renderer = {
  name: 'plain',
  sourceType: 'Directory',
  optionsKey: 'directory',
  version: '1',
  detect,
  render,
};

const extensions = /\.(?:yaml|yml|json|jsonnet)$/;
const skipMarker = '+argocd:skip-file-rendering';
/** Milliseconds of work after which others have their turn. */
const turnMs = 10;
/** Sentences told of one source. */
const warningsMax = 100;

async function render(tree: Tree, spec: RenderSpec, context: RenderContext): Promise<Rendered> {
  const { limits } = context;
  const options = parseOptions(spec.options);
  const folder = joinPath('', spec.path);
  const deadline = performance.now() + limits.timeMs;
  const manifests: Manifest[] = [];
  const warnings: string[] = [];
  let bytesRead = 0;
  let objectBytes = 0;
  let turnEnds = performance.now() + turnMs;
  for await (const { path, size = 0 } of manifestFiles(tree, folder, options, context)) {
    if (performance.now() >= deadline)
      throw over('timeout', 'timeMs', `${path} was not reached in ${limits.timeMs} ms`, path);
    if (size > limits.manifestBytes) throw tooManyBytes(path, limits.manifestBytes);
    const bytes = await tree.read(path);
    if (Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(skipMarker)) continue;
    if (path.endsWith('.jsonnet')) {
      if (!isOn(spec.settings, 'jsonnet.enable')) continue;
      throw jsonnetRefused(path);
    }
    bytesRead += bytes.length;
    if (bytesRead > limits.manifestBytes) throw tooManyBytes(path, limits.manifestBytes);
    if (performance.now() >= turnEnds) {
      await nextTurn();
      turnEnds = performance.now() + turnMs;
    }
    const read = await objectsOf(bytes, path, context);
    const { found } = read;
    warnings.push(...read.warnings);
    objectBytes += read.objectBytes;
    const most = objectBytesMax(limits);
    if (objectBytes > most) {
      const what = `${path} takes the objects of the source over ${most} bytes once aliases are written out`;
      throw over('limit', 'manifestBytes', what, path);
    }
    if (manifests.length + found.length > limits.manifestCount) {
      throw over('limit', 'manifestCount', `${path} takes the source over ${limits.manifestCount} objects`, path);
    }
    for (const { object, document, line } of found) manifests.push({ object, origin: { path, document, line } });
  }
  const untold = warnings.length - warningsMax;
  if (untold <= 0) return { manifests, warnings };
  return { manifests, warnings: [...warnings.slice(0, warningsMax), `there are ${untold} more warnings of this kind`] };
}

function tooManyBytes(path: string, max: number): RenderError {
  return over('limit', 'manifestBytes', `${path} takes the manifests of the source over ${max} bytes`, path);
}

function over(code: 'limit' | 'timeout', limit: keyof Limits, what: string, file: string): RenderError {
  const advice = `leave files out with directory.exclude, split the application, or raise the limit ${limit}`;
  return new RenderError(code, `${what}; ${advice}`, { file });
}

function jsonnetRefused(path: string): RenderError {
  return new RenderError(
    'unsupported',
    `${path} is Jsonnet, which is not rendered; commit the YAML or JSON that it produces, or leave it out with directory.exclude`,
    { file: path },
  );
}

/** The objects of one file; none where it is YAML that does not look like a manifest, which Argo CD leaves out in silence too. */
async function objectsOf(
  bytes: Uint8Array,
  path: string,
  { limits, signal }: RenderContext,
): Promise<Read<ParsedManifest>> {
  try {
    return await readManifests(bytes, path, limits, signal);
  } catch (error) {
    if (!(error instanceof RenderError) || error.code === 'limit' || path.endsWith('.json')) throw error;
    if (await inSlices(looksLikeManifest(bytes))) throw error;
    const warning = `${error.message}; the file is left out, as it does not look like a manifest`;
    return { found: [], warnings: error.code === 'syntax' ? [warning] : [], objectBytes: 0 };
  }
}

/** Fields of a manifest, also as JSON, of which a YAML file may consist. So many blanks are taken for what a colon comes after. */
const manifestFields = [
  /apiVersion["']?(?:\s*:|\s{1000})/,
  /kind["']?(?:\s*:|\s{1000})/,
  /metadata["']?(?:\s*:|\s{1000})/,
];
/** Bytes that are searched at once, and those that are searched once more with the next: a field, and the blanks behind it. */
const searchedBytes = 64 * 1024;
const overlapBytes = 1_100;

function* looksLikeManifest(bytes: Uint8Array): Generator<number, boolean> {
  const missing = new Set(manifestFields);
  for (let at = 0; at < bytes.length; at += searchedBytes) {
    const end = Math.min(bytes.length, at + searchedBytes + overlapBytes);
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + at, end - at).toString('latin1');
    for (const field of missing) if (field.test(text)) missing.delete(field);
    if (missing.size === 0) return true;
    yield text.length;
  }
  return false;
}

/** The files to read, folder by folder in the order of their names, as Argo CD walks them. */
async function* manifestFiles(
  tree: Tree,
  folder: string,
  options: DirectoryOptions,
  context: RenderContext,
): AsyncGenerator<TreeEntry> {
  const included = options.include === '' ? () => true : compileGlob(options.include, folder, 'directory.include');
  const excluded = options.exclude === '' ? () => false : compileGlob(options.exclude, folder, 'directory.exclude');
  let files = 0;
  async function* walk(directory: string): AsyncGenerator<TreeEntry> {
    context.signal?.throwIfAborted();
    for (const entry of await list(tree, directory)) {
      if (entry.type === 'directory') {
        if (options.recurse) yield* walk(entry.path);
        continue;
      }
      if (!options.disableExtensionFilter && !extensions.test(entry.name)) continue;
      if (excluded(entry.path) || !included(entry.path)) continue;
      if (entry.type === 'symlink' && !(await leadsToFile(tree, entry.path))) continue;
      files += 1;
      if (files > context.limits.fileCount) {
        throw over(
          'limit',
          'fileCount',
          `the source has more than ${context.limits.fileCount} manifest files`,
          entry.path,
        );
      }
      context.signal?.throwIfAborted();
      yield entry;
    }
  }
  yield* walk(folder);
}

async function list(tree: Tree, directory: string): Promise<readonly TreeEntry[]> {
  const found = await tree.stat(await followLinks(tree, directory));
  if (found?.type === 'directory') return tree.list(directory);
  throw new RenderError('not-found', `${JSON.stringify(directory)} is no directory; correct the path of the source`, {
    file: directory,
  });
}

/** Links to folders are not followed, as in Argo CD; broken ones and those that leave the repository throw. */
async function leadsToFile(tree: Tree, path: string): Promise<boolean> {
  return (await tree.stat(await followLinks(tree, path)))?.type === 'file';
}
