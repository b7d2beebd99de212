import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type WarmUp, warmUpState } from './engine.ts';
import { exposeState, withoutData } from './sections.ts';

/** A change to one file of a Go module, made when the engine is built. The module on disk stays as it is. */
export interface Patch {
  /** Path of the package: `helm.sh/helm/v4/pkg/engine`. */
  readonly package: string;
  readonly file: string;
  /** Each `find` must be met exactly once. */
  readonly edits?: readonly { readonly find: string | RegExp; readonly replace: string }[];
  /** Takes the place of the whole file. */
  readonly content?: string;
}

/** What an engine is made of, as its build wrote it to `dist/<name>.modules.json`. */
export interface EngineModules {
  /** Version of Go, without `go`. */
  readonly go: string;
  readonly modules: readonly {
    readonly path: string;
    readonly version: string;
    /** Texts of its licence and notices. */
    readonly license: string;
  }[];
}

export interface EngineBuild {
  /** `kustomize`: the result is `dist/kustomize.wasm`, `dist/kustomize.state`, and `dist/kustomize.modules.json`. */
  readonly name: string;
  /** Folder of the npm package; the Go program is in its `go/`. */
  readonly folder: URL;
  readonly patches?: readonly Patch[];
  readonly warmUp: WarmUp;
  /** String variables that the linker sets, by their full names. */
  readonly linkerVariables?: Readonly<Record<string, string>>;
}

const sharedGo = fileURLToPath(new URL('./go/', import.meta.url));
/**
 * Garbage is collected in one go, marked and swept. By default Go does it bit by bit beside the program; with one thread, and nobody to interrupt it, that comes so
 * late that a build which needs 200 MB took 350 to 650.
 */
const engineVariables: Readonly<Record<string, string>> = { 'runtime.godebugDefault': 'gcstoptheworld=2' };
const goEnvironment = { ...process.env, GOOS: 'wasip1', GOARCH: 'wasm', GOFLAGS: '-mod=readonly -buildvcs=false' };

/**
 * Builds an engine's WebAssembly module, if anything that it is made from has changed since. Prints what it does and how long that takes, and what is
 * wrong where it fails: the process then ends with 1.
 */
export async function buildEngine(build: EngineBuild): Promise<void> {
  try {
    await buildIfChanged(build);
  } catch (thrown) {
    console.error(`${build.name}.wasm: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    process.exitCode = 1;
  }
}

async function buildIfChanged(build: EngineBuild): Promise<void> {
  const folder = fileURLToPath(build.folder);
  const goFolder = join(folder, 'go');
  const target = join(folder, 'dist', `${build.name}.wasm`);
  const stateFile = join(folder, 'dist', `${build.name}.state`);
  const modulesFile = join(folder, 'dist', `${build.name}.modules.json`);
  const stamp = `${target}.stamp`;
  const hash = await hashOfInputs(goFolder, [build.patches, build.linkerVariables, build.warmUp]);
  const isThere = [target, stateFile, modulesFile, stamp].every((file) => existsSync(file));
  if (isThere && readFileSync(stamp, 'utf8') === hash) {
    console.log(`${build.name}.wasm is up to date`);
    return;
  }
  mkdirSync(dirname(target), { recursive: true });
  rmSync(stamp, { force: true });
  const started = performance.now();
  const seconds = (): string => `${((performance.now() - started) / 1000).toFixed(0)} s`;
  console.log(`${build.name}.wasm: building from Go (the first time takes some minutes) …`);
  const tick = setInterval(() => console.log(`${build.name}.wasm: still building, ${seconds()}`), 15_000);
  try {
    const modFile = await writePatched(goFolder, join(folder, 'dist', 'modules'), build.patches ?? []);
    const raw = `${target}.raw`;
    const variables = Object.entries({ ...engineVariables, ...build.linkerVariables }).map(
      ([name, value]) => ` -X ${name}=${value}`,
    );
    const flags = [
      '-trimpath',
      `-ldflags=-s -w -checklinkname=0${variables.join('')}`,
      '-buildmode=c-shared',
      `-modfile=${modFile}`,
    ];
    await go(goFolder, ['build', ...flags, '-o', raw, '.']);
    const module = exposeState(readFileSync(raw));
    writeFileSync(raw, module);
    const state = await warmUpState(build.name, pathToFileURL(raw), build.warmUp);
    replaceFile(modulesFile, `${JSON.stringify(await modulesOf(goFolder, modFile), null, 2)}\n`);
    replaceFile(stateFile, state);
    replaceFile(target, withoutData(module));
    rmSync(raw);
    rmSync(dirname(modFile), { recursive: true });
    writeFileSync(stamp, hash);
  } finally {
    clearInterval(tick);
  }
  console.log(`${build.name}.wasm: built in ${seconds()}, ${(readFileSync(target).length / 1e6).toFixed(1)} MB`);
}

/** Puts a file in the place of another at once: a process that has that one open keeps it whole. */
function replaceFile(target: string, content: string | Uint8Array): void {
  const temporary = `${target}.new`;
  writeFileSync(temporary, content);
  renameSync(temporary, target);
}

/** The modules that packages of the program come from, without those of this repository. */
async function modulesOf(goFolder: string, modFile: string): Promise<EngineModules> {
  const format = '{{with .Module}}{{.Path}}\t{{.Version}}\t{{.Dir}}{{end}}';
  const listed = await go(goFolder, ['list', '-deps', `-modfile=${modFile}`, '-f', format, '.']);
  const lines = [...new Set(listed.split('\n'))]
    .filter((line) => line !== '' && !line.startsWith('mooring.dev/'))
    .sort();
  const modules = lines.map((line) => {
    const [path, version, folder] = line.split('\t') as [string, string, string];
    const files = readdirSync(folder).filter((name) => /^(?:LICEN[CS]E|COPYING|NOTICE|PATENTS)/i.test(name));
    if (files.length === 0) throw new Error(`the Go module ${path} ${version} has no licence file`);
    return {
      path,
      version,
      license: files
        .sort()
        .map((name) => readFileSync(join(folder, name), 'utf8'))
        .join('\n'),
    };
  });
  return { go: (await go(goFolder, ['env', 'GOVERSION'])).trim().replace(/^go/, ''), modules };
}

async function hashOfInputs(goFolder: string, settings: unknown): Promise<string> {
  const hash = createHash('sha256');
  for (const folder of [goFolder, sharedGo]) {
    for (const name of filesIn(folder)) hash.update(name).update(readFileSync(join(folder, name)));
  }
  for (const name of ['build.ts', 'sections.ts', 'instance.ts', 'keys.ts', 'state.ts', 'wasi.ts'])
    hash.update(readFileSync(new URL(name, import.meta.url)));
  hash.update(JSON.stringify(settings, (_key, value) => (value instanceof RegExp ? value.source : value)));
  hash.update(await go(goFolder, ['env', 'GOVERSION']));
  return hash.digest('hex');
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

/**
 * Copies the modules that are patched, changes the copies, and writes a go.mod that uses them; answers with its path.
 * (`go build -overlay` would be simpler, but takes no file of the module cache.)
 */
async function writePatched(goFolder: string, into: string, patches: readonly Patch[]): Promise<string> {
  rmSync(into, { recursive: true, force: true });
  mkdirSync(into, { recursive: true });
  const copies = new Map<string, string>();
  for (const patch of patches) {
    const described = await go(goFolder, [
      'list',
      '-find',
      '-f',
      '{{.Module.Path}}\n{{.Module.Dir}}\n{{.Dir}}',
      patch.package,
    ]);
    const [module, moduleFolder, folder] = described.trim().split('\n') as [string, string, string];
    let copy = copies.get(module);
    if (copy === undefined) {
      copy = join(into, String(copies.size));
      copyModule(moduleFolder, copy);
      copies.set(module, copy);
    }
    const file = join(copy, relative(moduleFolder, folder), patch.file);
    writeFileSync(file, patched(patch, readFileSync(file, 'utf8')));
  }
  const modFile = join(into, 'go.mod');
  // The path is part of what is built: relative, so that it is the same wherever the repository is. In quotes, because it may have a space in it.
  const replaced = [...copies].map(
    ([module, copy]) => `replace ${module} => ${JSON.stringify(relative(goFolder, copy))}\n`,
  );
  writeFileSync(modFile, `${readFileSync(join(goFolder, 'go.mod'), 'utf8')}\n${replaced.join('')}`);
  cpSync(join(goFolder, 'go.sum'), join(into, 'go.sum'));
  return modFile;
}

function patched(patch: Patch, original: string): string {
  let text = patch.content ?? original;
  for (const { find, replace } of patch.edits ?? []) {
    const parts = text.split(find);
    if (parts.length !== 2) {
      throw new Error(
        `${patch.package}/${patch.file} has ${parts.length - 1} places for a patch that wants one: ${find}`,
      );
    }
    text = parts.join(replace);
  }
  return text;
}

/** Copies a module without its tests; the module cache is read-only, the copy is not. */
function copyModule(from: string, to: string): void {
  cpSync(from, to, { recursive: true, filter: (path) => !path.endsWith('_test.go') && basename(path) !== 'testdata' });
  chmodSync(to, 0o755);
  for (const entry of readdirSync(to, { recursive: true, withFileTypes: true })) {
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
  }
}

/** Runs the go command and answers with its standard output. */
function go(folder: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('go', args, { cwd: folder, env: goEnvironment, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (bytes: Buffer) => {
      output += bytes.toString('utf8');
    });
    child.once('error', (cause) => reject(new Error('cannot run go: install Go 1.26 or newer', { cause })));
    child.once('close', (status) => {
      if (status === 0) resolve(output);
      else reject(new Error(`go ${args[0]} failed with status ${status}`));
    });
  });
}
