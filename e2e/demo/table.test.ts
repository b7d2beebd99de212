import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Application } from '@mooring/crds';
import { withImage } from './shop.ts';
import { tableOf } from './table.ts';

function app(name: string, sync: string, message: string): Application {
  return {
    metadata: { name },
    status: {
      sync: { status: sync, revision: '0123456789' },
      health: { status: 'Healthy' },
      operationState: { message },
    },
  } as unknown as Application;
}

const apps = [app('b', 'Synced', 'one\ntwo'), app('a', 'Synced', ''), app('c', 'OutOfSync', '')];

test('the table is by name, and every Application has one line', () => {
  assert.deepEqual(tableOf(apps, 80), [
    'APPLICATION  REVISION  SYNC       HEALTH   LAST MESSAGE',
    'a            0123456   Synced     Healthy',
    'b            0123456   Synced     Healthy  one two',
    'c            0123456   OutOfSync  Healthy',
  ]);
});

test('no line is wider than the terminal, with colours too', () => {
  for (const width of [20, 37, 80]) {
    for (const line of tableOf(apps, width)) assert.ok(line.length <= width, `${width}: ${line}`);
  }
  const painted = tableOf(apps, 30, undefined, (text) => (text.startsWith('Out') ? `<${text}>` : text));
  assert.equal(painted[3], 'c            0123456   <OutOfSy>');
});

test('on a low terminal those that are not settled come first, and the others are counted', () => {
  assert.deepEqual(
    tableOf(apps, 80, 3).map((line) => line.slice(0, 12).trim()),
    ['APPLICATION', 'c', '… and 2 more'],
  );
  assert.equal(tableOf(apps, 80, 4).length, 4);
});

test('another image takes the place of the web server in every file of the samples that names it', () => {
  const samples = join(import.meta.dirname, '..', 'samples');
  const changed = readdirSync(samples, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'README.md')
    .map((entry) => withImage(readFileSync(join(entry.parentPath, entry.name), 'utf8'), 'example.com:5000/web:1.2'))
    .filter((text) => text.includes('mooring.local') || text.includes('example.com:5000'));
  for (const text of changed) {
    // Of the samples' own names only the one is left that a kustomization replaces.
    const pattern = /- name: mooring\.local\/web\n +newName: example\.com:5000\/web\n +newTag: "1\.2"/g;
    const left = text.replaceAll(pattern, '').replaceAll(/^ *image: mooring\.local\/web$/gm, '');
    assert.ok(!left.includes('mooring.local'), text);
  }
  assert.equal(changed.filter((text) => text.includes('newName: example.com:5000/web')).length, 15);
  const values = changed.filter((text) => /repository: example\.com:5000\/web\n[\s\S]* tag: "1\.2"\n/.test(text));
  assert.equal(values.length, 2);
  assert.equal(changed.filter((text) => text.includes('image: example.com:5000/web:1.2\n')).length, 3);
});
