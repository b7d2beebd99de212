import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { defaultLimits, type Rendered, type RenderSpec, treeOf } from '@mooring/renderer-contract';
import { conformance } from '@mooring/renderer-contract/conformance';
import { webAppRenderer } from './renderer.ts';

const sample = readFileSync(join(import.meta.dirname, 'sample', 'web-app.yaml'), 'utf8');

conformance(webAppRenderer, {
  renders: [
    {
      name: 'a web app',
      files: { 'apps/hello/web-app.yaml': sample },
      path: 'apps/hello',
      entry: 'apps/hello/web-app.yaml',
    },
    { name: 'a web app at the root', files: { 'web-app.yaml': sample }, path: '', entry: 'web-app.yaml' },
  ],
  strangers: [
    { name: 'plain manifests', files: { 'app/deployment.yaml': 'kind: Deployment\n' }, path: 'app' },
    { name: 'the folder above', files: { 'app/web-app.yaml': sample }, path: '' },
  ],
});

function render(content: string): Promise<Rendered> {
  const spec: RenderSpec = {
    appName: 'hello',
    namespace: 'web',
    path: 'app',
    options: {},
    kubeVersion: '1.37.2',
    apiVersions: [],
    env: {},
  };
  return webAppRenderer.render(treeOf({ 'app/web-app.yaml': content }), spec, { limits: defaultLimits });
}

test('a web app is a Deployment and the Service in front of it', async () => {
  const { manifests, warnings } = await render(sample);
  const labels = { 'app.kubernetes.io/name': 'hello' };
  assert.deepEqual(
    manifests.map(({ object }) => object),
    [
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'hello', labels },
        spec: {
          replicas: 2,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              containers: [
                { name: 'web', image: 'mooring.local/web:v1', ports: [{ name: 'http', containerPort: 8080 }] },
              ],
            },
          },
        },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'hello', labels },
        spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
      },
    ],
  );
  assert.deepEqual(warnings, []);
});

test('what is wrong with a file is said with its path and field', async () => {
  const cases: readonly (readonly [content: string, message: RegExp])[] = [
    ['', /^app\/web-app\.yaml: write a map/],
    ['- a\n', /^app\/web-app\.yaml: write a map/],
    ['image: a\nport: 1\n', /^app\/web-app\.yaml: name must be a text/],
    ['name: a\nport: 1\n', /^app\/web-app\.yaml: image must be a text/],
    ['name: a\nimage: b\nport: "80"\n', /^app\/web-app\.yaml: port must be a whole number/],
    ['name: a\nimage: b\nport: 80\nreplicas: -1\n', /^app\/web-app\.yaml: replicas must be/],
    [
      'name: a\nimage: b\nport: 80\nreplica: 1\n',
      /^app\/web-app\.yaml: replica is not known; there are name, image, port, replicas$/,
    ],
    ['name: [\n', /^app\/web-app\.yaml, line \d: broken YAML/],
  ];
  for (const [content, message] of cases) {
    await assert.rejects(render(content), { name: 'RenderError', file: 'app/web-app.yaml', message });
  }
});
