import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { onDisk } from '@mooring/go-wasm/cases';
import { createHelm, treeOf } from 'helm-ts-wrapper';
import { buildHelm } from '../e2e/cluster/build.ts';
import { chartFiles, ciValues } from './chart.ts';

const helm = await createHelm();
after(() => helm.close());
let program: string;

before(async () => {
  program = await buildHelm((line) => console.log(line));
});

type Files = Readonly<Record<string, string>>;

/** The objects and the notes that the chart makes, by our own engine; they are those of the program. */
async function render(files: Files, values: string): Promise<{ yaml: string; notes: string }> {
  const tree = treeOf(files);
  const { yaml, notes } = await helm.template(tree, '', { releaseName: 'shop', namespace: 'argocd', values });
  await onDisk({ ...files, 'asked.yaml': values }, async (folder) => {
    const helmOf = async (...args: string[]): Promise<string> =>
      (await promisify(execFile)(program, args, { cwd: folder, maxBuffer: 2 ** 25 })).stdout;
    const release = ['shop', '.', '--namespace', 'argocd', '--values', 'asked.yaml'];
    assert.equal(yaml, await helmOf('template', ...release));
    const installed = await helmOf('install', '--dry-run=client', ...release);
    assert.equal(notes.trim(), installed.split('\nNOTES:\n')[1]?.trim());
    const linted = await helmOf('lint', '--strict', '.', '--values', 'asked.yaml');
    assert.match(linted, /1 chart\(s\) linted, 0 chart\(s\) failed/);
  });
  return { yaml, notes };
}

describe('our engine and the helm program agree, and lint has nothing to say', () => {
  for (const [name, values] of Object.entries(ciValues())) {
    test(name, async () => void (await render(chartFiles(), values)));
  }
});
