import assert from 'node:assert/strict';
import test from 'node:test';
import type { ManagedNamespaceMetadata, OperationState } from '@mooring/crds';
import { isNamespaceOutdated } from './managed-namespace.ts';

const state = (managedNamespaceMetadata?: ManagedNamespaceMetadata): OperationState => ({
  operation: {},
  phase: 'Succeeded',
  startedAt: 't',
  syncResult: { revision: 'c1', ...(managedNamespaceMetadata && { managedNamespaceMetadata }) },
});
const { syncResult: _, ...never } = state();
const x = { labels: { team: 'x' } };
const y = { labels: { team: 'y' } };

const cases: readonly [
  what: string,
  wanted: ManagedNamespaceMetadata | undefined,
  had: OperationState | undefined,
  outdated: boolean,
][] = [
  ['nothing is asked for', undefined, state(), false],
  ['nothing was synced yet', x, undefined, false],
  ['no sync got as far', x, never, false],
  ['the last sync gave none', x, state(), true],
  ['the last sync gave the same', x, state({ labels: { team: 'x' } }), false],
  ['the last sync gave another', y, state(x), true],
];
for (const [what, wanted, had, outdated] of cases) {
  test(`the namespace is ${outdated ? 'outdated' : 'fine'} where ${what}`, () => {
    assert.equal(isNamespaceOutdated(wanted && { managedNamespaceMetadata: wanted }, had), outdated);
  });
}
