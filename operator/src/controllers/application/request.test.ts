import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Application, ApplicationSource } from '@mooring/crds';
import { Fault } from '../../model/fault.ts';
import type { RenderRequest } from '../../world/renderer.ts';
import { renderRequest } from './request.ts';

const commit = '0123456789abcdef0123456789abcdef01234567';

function requestFor(more: Partial<ApplicationSource>, project = 'shop'): RenderRequest {
  const source: ApplicationSource = { repoURL: 'https://git.example.com/shop', path: 'apps/web', ...more };
  const app: Application = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'web' },
    spec: { project, source, destination: { namespace: 'front' } },
  };
  return renderRequest(app, source, { commit }, { version: '1.37.2', apiVersions: ['v1'] });
}

describe('options select a renderer', () => {
  const cases: readonly [Partial<ApplicationSource>, string | undefined][] = [
    [{}, undefined],
    [{ helm: {} }, undefined],
    [{ helm: { releaseName: '', valueFiles: [], skipCrds: false } }, undefined],
    [{ helm: { skipCrds: true } }, 'helm'],
    [{ helm: { valuesObject: { a: 1 } } }, 'helm'],
    [{ helm: { valuesObject: { metrics: { enabled: false }, replicas: 0 } } }, 'helm'],
    [{ helm: { valuesObject: { nameOverride: '', resources: null, tolerations: [] } } }, 'helm'],
    [{ helm: { valuesObject: {} } }, 'helm'],
    [{ helm: { parameters: [{ name: 'tag', value: '' }] } }, 'helm'],
    [{ kustomize: { commonAnnotations: { note: '' } } }, 'kustomize'],
    [{ kustomize: { replicas: [{ name: 'web', count: 0 }] } }, 'kustomize'],
    [{ kustomize: { commonLabels: {} } }, undefined],
    [{ directory: { jsonnet: { tlas: [{ name: '', value: '' }] } } }, 'directory'],
    [{ directory: { recurse: false } }, undefined],
    [{ directory: { recurse: false, jsonnet: { tlas: [] } } }, undefined],
    [{ directory: { include: '*.yaml' } }, 'directory'],
    [{ kustomize: { images: [] } }, undefined],
    [{ kustomize: { forceCommonLabels: true, labelWithoutSelector: true } }, undefined],
    [{ kustomize: { ignoreMissingComponents: true } }, 'kustomize'],
    [{ kustomize: { images: ['web:1'] }, directory: { recurse: false } }, 'kustomize'],
    [{ plugin: {} }, 'plugin'],
  ];
  for (const [source, expected] of cases) {
    test(`${JSON.stringify(source)} ${expected ?? 'none'}`, () => assert.equal(requestFor(source).renderer, expected));
  }

  test('not two at once', () => {
    assert.throws(
      () => requestFor({ helm: { releaseName: 'a' }, directory: { recurse: true } }),
      (error) => error instanceof Fault && error.code === 'spec-invalid' && /helm and directory/.test(error.message),
    );
  });
});

test("the build environment is Argo CD's", () => {
  assert.deepEqual(requestFor({ path: './apps/web/', targetRevision: 'main' }, '').env, {
    ARGOCD_APP_NAME: 'web',
    ARGOCD_APP_NAMESPACE: 'front',
    ARGOCD_APP_PROJECT_NAME: 'default',
    ARGOCD_APP_REVISION: commit,
    ARGOCD_APP_REVISION_SHORT: '0123456',
    ARGOCD_APP_REVISION_SHORT_8: '01234567',
    ARGOCD_APP_SOURCE_PATH: './apps/web/',
    ARGOCD_APP_SOURCE_REPO_URL: 'https://git.example.com/shop',
    ARGOCD_APP_SOURCE_TARGET_REVISION: 'main',
  });
  assert.equal(requestFor({ path: './apps/web/' }).path, 'apps/web');
});
