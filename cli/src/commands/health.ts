import { lstat, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { checkFor } from '@mooring/operator/engine/health/health.ts';
import { groupOf } from '@mooring/operator/model/resource-key.ts';
import { type KubeObject, parseDocuments, RenderError } from '@mooring/renderer-contract';
import type { Command } from 'commander';
import { exitCode, Failure, fileFailure } from '../failure.ts';
import { print, tell } from '../print.ts';
import { withProgress } from '../progress.ts';

/** What is printed of one object, in this order. */
export interface HealthLine {
  /** As it was named, or found below the folder that was; `-` is standard input. */
  readonly file: string;
  /** `''` is the core group. */
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  /** `''` where the kind has no health rule. */
  readonly status: string;
  readonly message: string;
}

/** A dump of a whole cluster may be read. */
const limits = { manifestBytes: 1024 ** 3, manifestCount: 1_000_000 };

const manifestFile = /\.(?:yaml|yml|json)$/;

/** Adds `mooring health`. */
export function addHealth(program: Command): void {
  program
    .command('health')
    .summary('judge the health of objects in files')
    .description(
      'Prints the health of every Kubernetes object in the files and folders given, by the rules that the operator has: one line of JSON for each, with\nfile, group, kind, name, status and message. A kind without a rule has an empty status. No cluster is asked.',
    )
    .requiredOption(
      '-f, --filename <path...>',
      'files and folders (.yaml, .yml and .json in them and below); - is standard input',
    )
    .addHelpText(
      'after',
      `
Examples:
  kubectl get deployments,pods -A -o yaml | mooring health -f -
  mooring health -f backup/ -f pod.json
  mooring health -f backup/ | jq -r 'select(.status == "Degraded") | .name'

Exit codes:
  0  every file was read
  1  some file could not be read; the others are printed
  2  wrong arguments`,
    )
    .action(async (options: { readonly filename: readonly string[] }) => {
      process.exitCode = await health(options.filename);
    });
}

interface ManifestFile {
  readonly path: string;
  /** Whether it was given by name, and not found in a folder: then it must hold objects. */
  readonly named: boolean;
}

async function health(paths: readonly string[]): Promise<number> {
  let code: number = exitCode.done;
  let count = 0;
  const complain = (thrown: unknown): void => {
    if (!(thrown instanceof Failure || thrown instanceof RenderError)) throw thrown;
    tell(thrown.message);
    code = exitCode.found;
  };
  await withProgress('reading manifests', async () => {
    for (const path of paths) {
      for await (const file of filesAt(path, complain)) {
        try {
          const objects = await objectsOf(file);
          count += objects.length;
          await print(objects.map((object) => `${JSON.stringify(healthLine(file.path, object))}\n`).join(''));
        } catch (thrown) {
          complain(thrown);
        }
      }
    }
  });
  if (count === 0 && code === exitCode.done) tell('there are no objects in what was given');
  return code;
}

function healthLine(file: string, object: KubeObject): HealthLine {
  const { apiVersion, kind, metadata } = object;
  const slash = apiVersion.indexOf('/');
  // A file is judged by its kind's rule alone: that an object is being deleted is a fact of a cluster.
  const found = checkFor(groupOf(object.apiVersion), object.kind)?.(object);
  return {
    file,
    group: slash < 0 ? '' : apiVersion.slice(0, slash),
    kind,
    name: String(metadata.name ?? ''),
    status: found?.status ?? '',
    message: found?.message ?? '',
  };
}

/** The file itself, or the manifest files in a folder and below, in the order of their names. Links to folders are not followed. */
async function* filesAt(path: string, complain: (thrown: unknown) => void): AsyncGenerator<ManifestFile> {
  if (path === '-') {
    yield { path, named: true };
    return;
  }
  try {
    const found = await stat(path);
    if (!found.isDirectory()) {
      yield { path, named: true };
      return;
    }
  } catch (thrown) {
    complain(fileFailure(path, thrown));
    return;
  }
  yield* filesBelow(path, complain);
}

async function* filesBelow(folder: string, complain: (thrown: unknown) => void): AsyncGenerator<ManifestFile> {
  let names: string[];
  try {
    names = (await readdir(folder)).sort();
  } catch (thrown) {
    complain(fileFailure(folder, thrown));
    return;
  }
  for (const name of names) {
    if (name === '.git') continue;
    const path = join(folder, name);
    const found = await lstat(path).catch((thrown: unknown) => complain(fileFailure(path, thrown)));
    if (found?.isDirectory()) yield* filesBelow(path, complain);
    else if (found !== undefined && manifestFile.test(name)) yield { path, named: false };
  }
}

async function objectsOf({ path, named }: ManifestFile): Promise<KubeObject[]> {
  const bytes = await (path === '-' ? standardInput() : readFile(path)).catch((thrown: unknown) => {
    throw fileFailure(path, thrown);
  });
  const title = path === '-' ? 'standard input' : path;
  const objects: KubeObject[] = [];
  for (const { value, line } of parseDocuments(bytes, title, limits, tell)) {
    const found = objectsIn(value);
    objects.push(...found);
    if (found.length > 0 || !named || isList(value)) continue;
    throw new Failure(`${title}, line ${line}: this is no Kubernetes object: it has no apiVersion and kind; add them`);
  }
  return objects;
}

/** The object, or the items where it is a list of any kind. What has no type is no object; one without a name is, since health doesn't need it. */
function objectsIn(value: unknown): KubeObject[] {
  if (!isMap(value)) return [];
  const { apiVersion, kind, metadata, items } = value;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return [];
  if (!isList(value)) return [{ ...value, apiVersion, kind, metadata: isMap(metadata) ? metadata : {} }];
  // Items of a typed list, such as PodList, may leave their type to it.
  const type = kind === 'List' ? {} : { apiVersion, kind: kind.slice(0, -'List'.length) };
  return (items as unknown[]).flatMap((item) => objectsIn(isMap(item) ? { ...type, ...item } : item));
}

function isList(value: unknown): boolean {
  return (
    isMap(value) && typeof value['kind'] === 'string' && value['kind'].endsWith('List') && Array.isArray(value['items'])
  );
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value);
}

async function standardInput(): Promise<Buffer> {
  return Buffer.concat(await process.stdin.toArray());
}
