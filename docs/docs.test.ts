import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { settingKey, settingKeys } from '@mooring/operator/model/settings-keys.ts';

const root = join(import.meta.dirname, '..');
const notOurs = new Set(['node_modules', 'dist']);

/** Every file and folder of the repository, folders with a slash at the end; without what was built, installed or is hidden. */
const tree = new Set(walk(''));
const pages = [...tree].filter((path) => path.endsWith('.md') && !path.includes('/testdata/'));
const commands = new Set(
  Array.from(read('Makefile').matchAll(/^([a-z0-9]+):/gm), ([, name = '']) => `make ${name}`.trim()),
);

function* walk(folder: string): Generator<string> {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = `${folder}${entry.name}`;
    if (entry.name.startsWith('.') || notOurs.has(entry.name)) continue;
    if (!entry.isDirectory()) yield path;
    else yield* [`${path}/`, ...walk(`${path}/`)];
  }
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** Whether it is there, as it is written, below `operator/src`, or as the end of some path, which is how pages shorten them. */
function isThere(path: string): boolean {
  const ends = path.endsWith('/') ? [path] : [path, `${path}/`];
  return ends.some((end) => tree.has(end) || [...tree].some((one) => one.endsWith(`/${end}`)));
}

test('links of pages lead to files', () => {
  const lost = pages.flatMap((page) =>
    Array.from(read(page).matchAll(/\]\(([^)#\s]+)[^)]*\)/g), ([, target = '']) => target)
      .filter((target) => !/^[a-z]+:/.test(target))
      .map((target) => normalize(join(dirname(page), target)))
      .filter((path) => !tree.has(path) && !tree.has(`${path}/`))
      .map((path) => `${page}: ${path}`),
  );
  assert.deepEqual(lost, []);
});

test('files and folders of ours that pages name are there', () => {
  const folders = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const ours = [...folders.map(({ name }) => name), 'engine', 'controllers', 'adapters', 'model', 'world', 'api'];
  let seen = 0;
  const lost = pages.flatMap((page) =>
    Array.from(read(page).matchAll(/`([\w@./-]+)`/g), ([, name = '']) => name)
      .filter((name) => ours.includes(name.split('/')[0] ?? '') || /^[\w./-]+\.(?:ts|go)$/.test(name))
      // Names that stand for any file, and what is built.
      .filter((name) => !/^x\.(?:test\.)?ts$|^\./.test(name))
      .filter((name) => {
        seen += 1;
        return !isThere(name) && !tree.has(normalize(join(dirname(page), name)));
      })
      .map((name) => `${page}: ${name}`),
  );
  assert.deepEqual(lost, []);
  assert.ok(seen > 50, `only ${seen} names were looked at`);
});

test('commands that pages name are targets of the Makefile', () => {
  const unknown = pages.flatMap((page) =>
    Array.from(read(page).matchAll(/`(make [a-z0-9]+)`/g), ([, command = '']) => command)
      .filter((command) => !commands.has(command))
      .map((command) => `${page}: ${command}`),
  );
  assert.deepEqual(unknown, []);
});

test('the map shows every folder of the first level, and nothing that is not there', () => {
  const [, map = ''] = /^```\n([\s\S]*?)^```$/m.exec(read('ARCHITECTURE.md')) ?? [];
  const shown: string[] = [];
  const parents: string[] = [];
  for (const line of map.trimEnd().split('\n')) {
    const [, indent = '', name = ''] = /^( *)(\S+)/.exec(line) ?? [];
    parents.length = indent.length / 2;
    shown.push(normalize(join(...parents, name)));
    parents.push(name);
  }
  assert.deepEqual(
    shown.filter((path) => !tree.has(path)),
    [],
  );
  const missing = [...tree].filter(
    (path) => /^[^/]+\/$/.test(path) && !shown.some((one) => `${one}/`.startsWith(path)),
  );
  assert.deepEqual(missing, []);
});

test('the guides advise no setting that is not read', () => {
  const guides = pages.filter((path) => /^docs\/(?:runbooks\/)?[^/]+\.md$/.test(path) || path === 'README.md');
  const maps = ['argocd-cm', 'argocd-cmd-params-cm'] as const;
  const wildcards = new Set(settingKeys.filter(({ key }) => key.endsWith('*')).map(({ key }) => key));
  let named = 0;
  for (const page of guides) {
    const text = read(page);
    for (const [, key = ''] of text.matchAll(/`([A-Za-z][\w.-]*)(?::[^`]*)?`/g)) {
      // A word alone may be a field of anything, and what only begins alike a name of something else.
      const rows = maps.flatMap((place) => settingKey(place, key) ?? []).filter((row) => !wildcards.has(row.key));
      if (!key.includes('.') || rows.length === 0) continue;
      named += 1;
      assert.ok(
        rows.some((row) => row.class === 'read'),
        `${page} names ${key}, which is not read`,
      );
    }
    for (const [, key = '', place = ''] of text.matchAll(
      /`([\w.-]+)(?::[^`]*)?`(?: or `[\w.-]+`)? in `(argocd-cm|argocd-cmd-params-cm)`/g,
    )) {
      named += 1;
      const row = maps.flatMap((one) => (one === place ? (settingKey(one, key) ?? []) : []))[0];
      assert.equal(row?.class, 'read', `${page} names ${key} in ${place}`);
    }
  }
  assert.ok(named > 3, `${named} settings are named`);
});
