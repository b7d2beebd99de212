import assert from 'node:assert/strict';
import test from 'node:test';
import { containerImages, imagesOf } from './images.ts';

function workload(kind: string, spec: unknown) {
  return { apiVersion: 'v1', kind, metadata: { name: 'a' }, spec };
}

const pod = (image: unknown) => ({ containers: [{ name: 'a', image }] });
const cases: readonly [what: string, spec: unknown, images: readonly string[]][] = [
  ['a pod', pod('web:1'), ['web:1']],
  ['a template', { template: { spec: pod('web:2') } }, ['web:2']],
  ['a CronJob', { jobTemplate: { spec: { template: { spec: pod('job:1') } } } }, ['job:1']],
  [
    'init containers, sorted, each once',
    { initContainers: [{ image: 'z' }, { image: 'a' }], containers: [{ image: 'z' }] },
    ['a', 'z'],
  ],
  ['no list', { containers: 'none' }, []],
  ['containers that are none', { containers: [null, 'x', {}, { image: 5 }] }, []],
  ['null', null, []],
];
for (const [what, spec, images] of cases) {
  test(`images of ${what}`, () => {
    assert.deepEqual(imagesOf([workload('Pod', spec)]), images);
  });
}

test('images of a result are those of its containers, in their order', () => {
  const spec = {
    initContainers: [{ image: 'init' }],
    containers: [{ image: 'z' }, { image: 'a' }, {}, { image: 'z' }],
  };
  assert.deepEqual(containerImages(workload('Pod', spec)), ['z', 'a', 'z']);
  assert.deepEqual(containerImages(workload('Deployment', { template: { spec } })), ['z', 'a', 'z']);
  assert.deepEqual(containerImages(workload('CronJob', { jobTemplate: { spec: { template: { spec } } } })), [
    'z',
    'a',
    'z',
  ]);
  assert.deepEqual(containerImages(workload('Service', { containers: 'none' })), []);
});
