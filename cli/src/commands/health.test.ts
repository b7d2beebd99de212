import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { mooring } from '../testing.ts';
import type { HealthLine } from './health.ts';

const cwd = join(import.meta.dirname, '..', '..', 'testdata');

function linesOf(stdout: string): HealthLine[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as HealthLine);
}

const pods: readonly HealthLine[] = [
  { file: 'health/pods.yaml', group: '', kind: 'Pod', name: 'done', status: 'Healthy', message: '' },
  { file: 'health/pods.yaml', group: '', kind: 'Pod', name: 'broken', status: 'Degraded', message: 'out of memory' },
  { file: 'health/pods.yaml', group: '', kind: 'ConfigMap', name: 'settings', status: '', message: '' },
];

test('every object in the files and folders given has a line', async () => {
  const { code, stdout, stderr } = await mooring(['health', '-f', 'health', 'health/pods.yaml'], { cwd });
  assert.deepEqual(linesOf(stdout), [
    {
      file: 'health/nested/scale.json',
      group: 'apps',
      kind: 'Deployment',
      name: 'web',
      status: 'Progressing',
      message: 'Waiting for rollout to finish: observed deployment generation less than desired generation',
    },
    ...pods,
    ...pods,
  ]);
  assert.deepEqual(Object.keys(linesOf(stdout)[0] ?? {}), ['file', 'group', 'kind', 'name', 'status', 'message']);
  assert.equal(stderr, '');
  assert.equal(code, 0);
});

test('what cannot be read is named with file and line, and the rest goes on', async () => {
  const files = ['broken.yaml', 'gone.yaml', 'health/nested/values.yml', 'health/pods.yaml'];
  const { code, stdout, stderr } = await mooring(['health', '-f', ...files], { cwd });
  assert.deepEqual(linesOf(stdout), pods);
  const [broken = '', gone = '', values = '', ...more] = stderr.trimEnd().split('\n');
  assert.match(broken, /^mooring: broken\.yaml, line \d: broken YAML: /);
  assert.equal(gone, 'mooring: gone.yaml: there is no such file or folder; check the path');
  assert.equal(
    values,
    'mooring: health/nested/values.yml, line 1: this is no Kubernetes object: it has no apiVersion and kind; add them',
  );
  assert.deepEqual(more, []);
  assert.equal(code, 1);
});

test('standard input is a file called -', async () => {
  const input = readFileSync(join(cwd, 'health', 'pods.yaml'), 'utf8');
  const { code, stdout } = await mooring(['health', '-f', '-'], { input });
  assert.deepEqual(
    linesOf(stdout),
    pods.map((line) => ({ ...line, file: '-' })),
  );
  assert.equal(code, 0);
});

test('objects may lack metadata, and lists may be empty', async () => {
  const input = 'apiVersion: v1\nkind: Pod\nstatus: {phase: Succeeded}\n---\napiVersion: v1\nkind: List\nitems: []\n';
  const { code, stdout } = await mooring(['health', '-f', '-'], { input });
  assert.deepEqual(linesOf(stdout), [{ file: '-', group: '', kind: 'Pod', name: '', status: 'Healthy', message: '' }]);
  assert.equal(code, 0);
});

test('where there is nothing to judge, that is said', async () => {
  const { code, stdout, stderr } = await mooring(['health', '-f', '-'], { input: '' });
  assert.deepEqual(
    { code, stdout, stderr },
    { code: 0, stdout: '', stderr: 'mooring: there are no objects in what was given\n' },
  );
});
