import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import test from 'node:test';
import type { KubeObject } from '@mooring/renderer-contract';
import fc from 'fast-check';
import { parse } from 'yaml';
import { groupOf } from '../../model/resource-key.ts';
import { checks, groupChecks } from './checks.ts';
import { checkFor, hasHealthRule, healthOf } from './health.ts';

interface HealthCase {
  readonly name: string;
  readonly object: Record<string, unknown>;
  readonly status?: string;
  readonly message?: string;
}

test('each built-in kind is judged by its rule', async (t) => {
  const file = join(import.meta.dirname, 'testdata', 'cases.yaml');
  for (const one of parse(readFileSync(file, 'utf8')) as HealthCase[]) {
    await t.test(one.name, () => {
      const health = healthOf({ metadata: { name: 'x' }, ...one.object } as KubeObject);
      assert.equal(health?.status, one.status);
      assert.equal(health?.message ?? '', one.message ?? '');
    });
  }
});

test('kinds without a rule have no health, and say so', () => {
  assert.equal(hasHealthRule('', 'ConfigMap'), false);
  assert.equal(hasHealthRule('example.com', 'Pod'), false);
  assert.equal(hasHealthRule('apps', 'Deployment'), true);
});

interface SharedCase {
  readonly inputPath?: string;
  readonly healthStatus: { readonly status: string; readonly message?: string };
}

test('covered kinds agree with every case of the shared collection', () => {
  const root = join(import.meta.dirname, '../../../../../shared/cases/health');
  if (!existsSync(root)) {
    console.log('health: no shared cases beside the repository, so only our own were checked');
    return;
  }
  let kinds = 0;
  let covered = 0;
  let cases = 0;
  const wrong: string[] = [];
  for (const file of globSync('*/*/health_test.yaml', { cwd: root }).sort()) {
    kinds++;
    const folder = join(root, dirname(file));
    const tests = (parse(readFileSync(join(root, file), 'utf8')) as { tests: SharedCase[] }).tests;
    const inputs = tests.flatMap(({ inputPath, healthStatus }) =>
      inputPath === undefined ? [] : [{ inputPath, healthStatus }],
    );
    const [group = '', kind = ''] = relative(root, folder).split(sep);
    // An underscore stands for any text.
    if (checkFor(group.replace('_', 'any'), kind) === undefined) continue;
    covered++;
    for (const { inputPath, healthStatus } of inputs) {
      cases++;
      const object = parse(readFileSync(join(folder, inputPath), 'utf8')) as KubeObject;
      const got = (kind === '_' ? checkFor(groupOf(object.apiVersion), object.kind) : checkFor(group, kind))?.(object);
      if (got?.status !== healthStatus.status || (got?.message ?? '') !== (healthStatus.message ?? '')) {
        wrong.push(`${group}/${kind}/${inputPath}: ${JSON.stringify(got)}, expected ${JSON.stringify(healthStatus)}`);
      }
    }
  }
  console.log(`health: ${covered} of ${kinds} kinds covered, ${cases - wrong.length} of ${cases} of their cases agree`);
  assert.deepEqual(wrong, []);
});

test('no check throws, whatever an object holds', () => {
  const names = ['conditions', 'phase', 'state', 'type', 'status', 'message', 'parents', 'statuses', 'replicas'];
  const values = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(null, true, 0, 1, '', 'True', 'False', 'Ready', 'Running', 'Failed', 'constructor'),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 4 }),
    ),
  })).value;
  fc.assert(
    fc.property(values, values, (spec, status) => {
      for (const check of [...checks.values(), ...groupChecks.values()]) {
        check({ apiVersion: 'v1', kind: 'Any', metadata: { name: 'x', generation: 1 }, spec, status });
      }
    }),
  );
});
