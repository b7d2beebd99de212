import { readFile } from 'node:fs/promises';
import type { Files } from './files.ts';

const names = ['application.yaml', 'appproject.yaml'];

/** The chart's copies of the CRDs. They are no part of its `crds/`: Helm would neither upgrade nor annotate those. */
export async function crdFiles(): Promise<Files> {
  const copies = names.map(async (name) => [
    `mooring/files/crds/${name}`,
    await readFile(new URL(`../crds/${name}`, import.meta.url), 'utf8'),
  ]);
  return Object.fromEntries(await Promise.all(copies));
}
