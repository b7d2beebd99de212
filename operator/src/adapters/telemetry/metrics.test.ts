import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Application } from '@mooring/crds';
import { createMetrics } from './metrics.ts';

test('a password in the address of a repository is in no series', async () => {
  const app = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop', namespace: 'argocd' },
    spec: {
      project: 'default',
      source: { repoURL: 'https://ada:s3cret-canary@git.example.com/shop.git', path: '.' },
      destination: { server: 'https://kubernetes.default.svc' },
    },
  } as Application;
  const text = await createMetrics({ applications: () => [app], queueDepth: () => 0 }).text();
  assert.match(text, /argocd_app_info\{[^}]*repo="https:\/\/\*\*\*@git\.example\.com\/shop\.git"/);
  assert.doesNotMatch(text, /canary/);
});
