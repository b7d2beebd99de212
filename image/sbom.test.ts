import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Component } from './component.ts';
import { type BillSubject, billOf } from './sbom.ts';

const subject: BillSubject = {
  name: 'mooring',
  version: '1.2.3',
  license: 'Apache-2.0',
  arch: 'amd64',
  system: { name: 'debian', version: '12' },
  created: '2026-01-02T03:04:05Z',
};
const undici: Component = {
  type: 'library',
  name: 'undici',
  version: '8.0.0',
  purl: 'pkg:npm/undici@8.0.0',
  licenses: ['MIT'],
  licenseText: 'text',
};
const client: Component = {
  type: 'library',
  group: '@kubernetes',
  name: 'client-node',
  version: '2.0.1',
  purl: 'pkg:npm/%40kubernetes/client-node@2.0.1',
  licenses: ['Apache-2.0 OR MIT'],
};
const git: Component = {
  type: 'library',
  name: 'git',
  version: '1:2',
  purl: 'pkg:deb/debian/git@1:2?arch=amd64',
  licenses: ['GPL-2.0-only', 'mingw-runtime'],
};
const node: Component = {
  type: 'application',
  name: 'node',
  version: '26.0.0',
  purl: 'pkg:generic/node@26.0.0',
  cpe: 'cpe:2.3:a:nodejs:node.js:26.0.0:*:*:*:*:*:*:*',
  licenses: [],
};
const parts = [undici, client, git, node];

interface Bill {
  readonly [field: string]: unknown;
  readonly serialNumber: string;
  readonly metadata: { readonly timestamp: string; readonly component: { readonly 'bom-ref': string } };
  readonly components: readonly {
    readonly 'bom-ref': string;
    readonly name: string;
    readonly [field: string]: unknown;
  }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

describe('a bill of materials', () => {
  const bill = JSON.parse(billOf(subject, parts)) as Bill;

  test('says what it is, and what it is of', () => {
    assert.equal(bill['bomFormat'], 'CycloneDX');
    assert.equal(bill['specVersion'], '1.6');
    assert.equal(bill['version'], 1);
    assert.match(bill.serialNumber, /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(bill.metadata.timestamp, subject.created);
    assert.partialDeepStrictEqual(bill.metadata.component, { type: 'container', name: 'mooring', version: '1.2.3' });
  });

  test('names the system and every part, each with a name of its own that the whole depends on', () => {
    const refs = bill.components.map((part) => part['bom-ref']);
    assert.deepEqual(bill.components.map(({ name }) => name).sort(), [
      'client-node',
      'debian',
      'git',
      'node',
      'undici',
    ]);
    assert.equal(new Set(refs).size, refs.length);
    assert.deepEqual(bill.dependencies, [{ ref: bill.metadata.component['bom-ref'], dependsOn: refs }]);
  });

  test('has licences as identifiers, names or an expression, and none where none is known', () => {
    const licensesOf = (name: string): unknown => bill.components.find((part) => part.name === name)?.['licenses'];
    assert.deepEqual(licensesOf('undici'), [{ license: { id: 'MIT' } }]);
    assert.deepEqual(licensesOf('client-node'), [{ expression: 'Apache-2.0 OR MIT' }]);
    assert.deepEqual(licensesOf('git'), [{ license: { id: 'GPL-2.0-only' } }, { license: { name: 'mingw-runtime' } }]);
    assert.equal(licensesOf('node'), undefined);
  });

  test('is the same for the same parts in any order, and another for others', () => {
    assert.equal(billOf(subject, parts.toReversed()), billOf(subject, parts));
    assert.notEqual((JSON.parse(billOf(subject, [undici])) as Bill).serialNumber, bill.serialNumber);
  });

  test('has no part twice', () => {
    assert.throws(() => billOf(subject, [undici, git, undici]), /two parts of the image are called pkg:npm\/undici@8/);
  });
});
