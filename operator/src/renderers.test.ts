import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Tree, treeOf } from '@mooring/renderer-contract';
import { defaultRenderers } from './renderers.ts';

const cases: readonly [files: readonly string[], sourceType: string][] = [
  [['a/Chart.yaml'], 'Helm'],
  [['a/kustomization.yml'], 'Kustomize'],
  [['a/Kustomization'], 'Kustomize'],
  [['a/Chart.yaml', 'a/kustomization.yaml'], 'Kustomize'],
  [['a/service.yaml', 'a/below/Chart.yaml', 'a/below/kustomization.yaml'], 'Directory'],
  [['a/Chart.yaml/values.yaml', 'a/kustomization.yaml/x.yaml', 'a/chart.yaml'], 'Directory'],
  [['a/README.md'], 'Directory'],
];

async function typeOf(tree: Tree): Promise<string | undefined> {
  for (const { detect, sourceType } of defaultRenderers()) if (await detect(tree, 'a')) return sourceType;
  return undefined;
}

for (const [files, sourceType] of cases) {
  test(`${files.join(', ')}: ${sourceType}`, async () => {
    assert.equal(await typeOf(treeOf(Object.fromEntries(files.map((path) => [path, ''])))), sourceType);
  });
}
