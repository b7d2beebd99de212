import {
  followLinks,
  joinPath,
  type Manifest,
  parseManifests,
  type RenderContext,
  RenderError,
  type Rendered,
  type Renderer,
  type RenderSpec,
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

async function render(tree: Tree, spec: RenderSpec, context: RenderContext): Promise<Rendered> {
  const options = parseOptions(spec.options);
  const folder = joinPath('', spec.path);
  const manifests: Manifest[] = [];
  const warnings: string[] = [];
  const { limits } = context;
  let bytesLeft = limits.manifestBytes;
  for await (const { path } of manifestFiles(tree, folder, options, context)) {
    const bytes = await tree.read(path);
    if (Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(skipMarker)) continue;
    if (path.endsWith('.jsonnet')) throw jsonnetRefused(path);
    bytesLeft -= bytes.length;
    if (bytesLeft < 0) {
      throw new RenderError(
        'limit',
        `${path} takes the manifests of ${folder || 'the source'} over ${limits.manifestBytes} bytes; leave files out with directory.exclude, split the application, or raise the limit manifestBytes`,
        { file: path },
      );
    }
    const left = { manifestBytes: limits.manifestBytes, manifestCount: limits.manifestCount - manifests.length };
    for (const { object, document, line } of objectsOf(bytes, path, left, warnings)) {
      manifests.push({ object, origin: { path, document, line } });
    }
  }
  return { manifests, warnings };
}

function jsonnetRefused(path: string): RenderError {
  return new RenderError(
    'unsupported',
    `${path} is Jsonnet, which is not rendered; commit the YAML or JSON that it produces, or leave it out with directory.exclude`,
    { file: path },
  );
}

type ReadLimits = Parameters<typeof parseManifests>[2];

/** The objects of one file; none where it is YAML that does not look like a manifest, which Argo CD leaves out in silence too. */
function objectsOf(
  bytes: Uint8Array,
  path: string,
  limits: ReadLimits,
  warnings: string[],
): ReturnType<typeof parseManifests> {
  try {
    return parseManifests(bytes, path, limits, (sentence) => warnings.push(sentence));
  } catch (error) {
    if (!(error instanceof RenderError) || path.endsWith('.json') || looksLikeManifest(bytes)) throw error;
    if (error.code === 'limit') throw error;
    if (error.code === 'syntax')
      warnings.push(`${error.message}; the file is left out, as it does not look like a manifest`);
    return [];
  }
}

function looksLikeManifest(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return ['apiVersion:', 'kind:', 'metadata:'].every((field) => text.includes(field));
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
  async function* walk(directory: string, depth: number): AsyncGenerator<TreeEntry> {
    context.signal?.throwIfAborted();
    for (const entry of await list(tree, directory)) {
      if (entry.type === 'directory') {
        if (options.recurse) yield* walk(entry.path, depth + 1);
        continue;
      }
      if (!options.disableExtensionFilter && !extensions.test(entry.name)) continue;
      if (excluded(entry.path) || !included(entry.path)) continue;
      if (entry.type === 'symlink' && !(await leadsToFile(tree, entry.path))) continue;
      files += 1;
      if (files > context.limits.fileCount) {
        throw new RenderError(
          'limit',
          `${folder || 'the source'} has more than ${context.limits.fileCount} manifest files; split the application or raise the limit fileCount`,
          { file: entry.path },
        );
      }
      context.signal?.throwIfAborted();
      yield entry;
    }
  }
  yield* walk(folder, 0);
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
