import { readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';
import { generatedClientStub } from '../operator/src/adapters/kube/kube-config.ts';

/** A program with everything that it imports, in a few files. */
export interface Bundle {
  /** Scripts by their names; all lie in one folder. */
  readonly scripts: ReadonlyMap<string, Buffer>;
  /** Files that the program finds beside its scripts: paths in the repository, which are also those below that folder. */
  readonly assets: ReadonlySet<string>;
  /** Folders of the npm packages of which code is in the bundle, such as `node_modules/undici`; paths in the repository, sorted. */
  readonly packages: readonly string[];
}

const root = join(import.meta.dirname, '..');

/** Found by its own module; every other way to use `import.meta` would mean something else in a bundle. */
const besideModule = /new URL\(\s*'([^']+)',\s*import\.meta\.url,?\s*\)/g;

/** Packages of CommonJS load Node's own modules by this. */
const banner = `import { createRequire as createRequireOfBundle } from 'node:module';
const require = createRequireOfBundle(import.meta.url);`;

/**
 * Bundles a program, `main.js` of the result. Threads that it starts by `new Worker(new URL('./x.ts', import.meta.url))` become scripts of their own, and other files
 * named in that way are assets. The same sources give the same bytes, wherever the repository is. Throws where a module cannot be followed.
 */
export async function bundle(entry: string): Promise<Bundle> {
  const assets = new Set<string>();
  const threads = new Set<string>();
  for (;;) {
    const known = threads.size;
    const entryPoints = [
      { in: entry, out: 'main' },
      ...[...threads].map((thread) => ({ in: thread, out: scriptName(thread) })),
    ];
    const built = await build({
      absWorkingDir: root,
      entryPoints,
      outdir: 'out',
      write: false,
      bundle: true,
      splitting: true,
      platform: 'node',
      format: 'esm',
      target: 'node26',
      banner: { js: banner },
      legalComments: 'none',
      metafile: true,
      logLevel: 'silent',
      plugins: [modules(threads, assets), withoutGeneratedClient],
    });
    // A thread may start others.
    if (threads.size > known) continue;
    const scripts = built.outputFiles.map(({ path, contents }): [string, Buffer] => [
      relative(join(root, 'out'), path),
      Buffer.from(contents),
    ]);
    return { scripts: new Map(scripts), assets, packages: packagesOf(built.metafile) };
  }
}

function scriptName(path: string): string {
  return path.replace(/\.ts$/, '').replaceAll('/', '-');
}

/** Finds what modules name relative to themselves, and names it relative to the bundle. */
function modules(threads: Set<string>, assets: Set<string>): Plugin {
  return {
    name: 'modules',
    setup: ({ onLoad }) => {
      onLoad({ filter: /\.[cm]?[jt]s$/, namespace: 'file' }, async ({ path }) => {
        const source = await readFile(path, 'utf8');
        const contents = source.replace(besideModule, (_, name: string) => {
          const target = relative(root, join(dirname(path), name));
          if (!name.endsWith('.ts')) assets.add(target);
          else threads.add(target);
          const inBundle = name.endsWith('.ts') ? `${scriptName(target)}.js` : target;
          return `new URL('./${inBundle}', import.meta.url)`;
        });
        const rest = contents.replace(/new URL\('[^']+', import\.meta\.url\)/g, '');
        const at = rest.indexOf('import.meta');
        if (at >= 0) {
          const line = rest.slice(0, at).split('\n').length;
          throw new Error(
            `${relative(root, path)}, about line ${line}: in the image's bundle, import.meta only works as new URL('…', import.meta.url)`,
          );
        }
        return { contents, loader: path.endsWith('.ts') ? 'ts' : 'js' };
      });
    },
  };
}

/** As `kube-config.ts` does where the program is not bundled. */
const withoutGeneratedClient: Plugin = {
  name: 'without-generated-client',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^\.\/gen\/index\.js$/ }, ({ importer }) =>
      importer.endsWith('/@kubernetes/client-node/dist/config.js')
        ? { path: 'generated-client', namespace: 'stub' }
        : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'stub' }, () => ({ contents: generatedClientStub }));
  },
};

function packagesOf({ outputs }: Metafile): string[] {
  const used = Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0),
  );
  const folders = used.map(([path]) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]);
  return [...new Set(folders.filter((folder) => folder !== undefined))].sort();
}
