import {
  defaultLimits,
  joinPath,
  objectsOf,
  type ParsedDocument,
  RenderError,
  readDocuments,
  readManifests,
  type Tree,
} from '@mooring/renderer-contract';
import { kustomizationNames } from './detect.ts';

const extensions = /\.(?:ya?ml|json)$/;

/** The path of the kustomization file in a folder of the tree; undefined where there is none. */
export async function kustomizationIn(tree: Tree, folder: string): Promise<string | undefined> {
  for (const name of kustomizationNames) {
    const path = joinPath(folder, name);
    const found = await expected(() => tree.stat(path));
    if (found instanceof RenderError || found === undefined || found.type === 'directory') continue;
    return path;
  }
  return undefined;
}

/** What is wrong with a file that is to hold manifests, or else YAML alone, by its document and line; undefined where nothing is, or it cannot be read. */
export async function problemIn(
  tree: Tree,
  file: string,
  holds: 'manifests' | 'yaml',
): Promise<RenderError | undefined> {
  const bytes = await expected(() => tree.read(file));
  if (bytes instanceof RenderError) return undefined;
  const found = await expected<unknown>(() =>
    holds === 'yaml' ? readDocuments(bytes, file, defaultLimits) : readManifests(bytes, file, defaultLimits),
  );
  return found instanceof RenderError ? found : undefined;
}

/**
 * The same error about an object that a build gave, by the document and line of the first file among `files` that has one with the same fault. The name does not
 * count: a kustomization may change it. The error itself where there is none.
 */
export async function placedInFiles(error: RenderError, tree: Tree, files: readonly string[]): Promise<RenderError> {
  const { file: path = '' } = error;
  for (const file of files.filter((name) => extensions.test(name))) {
    const bytes = await expected(() => tree.read(file));
    if (bytes instanceof RenderError) continue;
    const read = await expected(() => readDocuments(bytes, file, defaultLimits));
    if (read instanceof RenderError) continue;
    for (const { value, document, line } of read.found) {
      const here = faultOf(value, { path });
      if (here === undefined || nameless(here) !== nameless(error)) continue;
      return faultOf(value, { path: file, document, line }) ?? error;
    }
  }
  return error;
}

function faultOf(value: ParsedDocument['value'], origin: Parameters<typeof objectsOf>[1]): RenderError | undefined {
  try {
    for (const _ of objectsOf(value, origin));
    return undefined;
  } catch (thrown) {
    if (thrown instanceof RenderError) return thrown;
    throw thrown;
  }
}

function nameless({ message }: RenderError): string {
  return message.replace(/ named "[^"]*"/, '');
}

/** What a call gives, or the error that is to be expected of it. */
async function expected<T>(call: () => Promise<T>): Promise<T | RenderError> {
  try {
    return await call();
  } catch (thrown) {
    if (thrown instanceof RenderError) return thrown;
    throw thrown;
  }
}
