import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folders that are npm packages in their own right, and what those depend on. */
const packages = ['contract', 'go-wasm', 'kustomize-wasm', 'helm-ts-wrapper'];

const root = join(import.meta.dirname, '..');

interface PackageJson {
  readonly exports: Readonly<Record<string, string>>;
  readonly files: readonly string[];
  readonly [field: string]: unknown;
}

/**
 * Makes an archive for npm of each package in a folder, and gives their paths. TypeScript that is run as it is does not run below `node_modules`: the archives hold
 * JavaScript and declarations, as tsc makes them.
 */
export function packRenderers(into: string): string[] {
  rmSync(into, { recursive: true, force: true });
  mkdirSync(into, { recursive: true });
  const compiled = join(into, 'compiled');
  const project = join(into, 'tsconfig.json');
  const compilerOptions = { noEmit: false, rewriteRelativeImportExtensions: true, rootDir: root, outDir: compiled };
  const include = packages.map((name) => join(root, 'renderers', name, '*.ts'));
  writeFileSync(
    project,
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: { ...compilerOptions, typeRoots: [join(root, 'node_modules', '@types')] },
      include,
      exclude: [join(root, 'renderers', '*', '*.test.ts')],
    }),
  );
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  execFileSync(process.execPath, [compiler, '-p', project], { stdio: ['ignore', 'inherit', 'inherit'] });
  const archives = packages.map((name) => pack(name, join(into, name), join(compiled, 'renderers', name), into));
  for (const folder of ['compiled', 'tsconfig.json', ...packages]) rmSync(join(into, folder), { recursive: true });
  return archives;
}

function pack(name: string, stage: string, compiled: string, into: string): string {
  const folder = join(import.meta.dirname, name);
  mkdirSync(stage, { recursive: true });
  const {
    private: _,
    exports,
    files,
    ...rest
  } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as PackageJson;
  for (const source of modulesOf(
    folder,
    Object.values(exports).filter((file) => isPublished(file, files)),
  )) {
    for (const end of ['.js', '.d.ts']) {
      const file = source.replace(/\.ts$/, end);
      writeFileSync(join(stage, file), withScripts(readFileSync(join(compiled, file), 'utf8')));
    }
  }
  for (const file of files.filter((one) => !one.endsWith('.ts'))) cpSync(join(folder, file), join(stage, file));
  cpSync(join(folder, 'README.md'), join(stage, 'README.md'));
  cpSync(join(root, 'LICENSE'), join(stage, 'LICENSE'));
  const published = Object.entries(exports)
    .filter(([, file]) => isPublished(file, files))
    .map(([path, file]) => [path, { types: file.replace(/\.ts$/, '.d.ts'), default: file.replace(/\.ts$/, '.js') }]);
  const described = { ...rest, exports: Object.fromEntries(published) };
  writeFileSync(join(stage, 'package.json'), `${JSON.stringify(described, null, 2)}\n`);
  const output = execFileSync('npm', ['pack', '--json', '--pack-destination', into], { cwd: stage, encoding: 'utf8' });
  const [made] = JSON.parse(output) as [{ readonly filename: string }];
  return join(into, made.filename);
}

function isPublished(file: string, files: readonly string[]): boolean {
  return files.includes(file.replace('./', ''));
}

/** The files that entries import, worker threads included, and they themselves. */
function modulesOf(folder: string, entries: readonly string[]): ReadonlySet<string> {
  const found = new Set(entries.map((entry) => entry.replace('./', '')));
  for (const file of found) {
    for (const [, name] of readFileSync(join(folder, file), 'utf8').matchAll(/'\.\/([^'\n]+(?<!\.d)\.ts)'/g)) {
      if (name !== undefined) found.add(name);
    }
  }
  const there = new Set(readdirSync(folder));
  for (const file of found) if (!there.has(file)) throw new Error(`${folder} has no ${file}`);
  return found;
}

/** tsc changes the names of modules that are imported, but not that of a worker's, nor those in declarations. */
function withScripts(text: string): string {
  return text.replace(/(['"]\.\/[^'"\n]+)\.ts(['"])/g, '$1.js$2');
}

if (import.meta.main) for (const archive of packRenderers(join(root, '.mooring', 'packages'))) console.log(archive);
