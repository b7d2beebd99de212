import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { applicationsPath } from '../harness/applications.ts';
import { configMap, patienceMs, type Stage } from '../harness/stage.ts';
import type { Prometheus } from './prometheus.ts';

const samples = join(import.meta.dirname, '..', 'samples');
const automated = { prune: true, selfHeal: true };
const options = { syncOptions: ['CreateNamespace=true'] };

/** What happens in an installation: deployments, drift, failures, recoveries, deletions. In the end one Application cannot be synced and one not compared. */
export async function work(stage: Stage, prometheus: Prometheus): Promise<void> {
  await Promise.all([sell, fail, degrade, comeAndGo, lose].map((part) => part(stage, prometheus)));
}

/** Waits until a scrape has seen it: what happens twice between two scrapes is no rise of a counter that was not there before. */
async function scraped(prometheus: Prometheus, expr: string): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while ((await prometheus.query(expr)).length === 0) {
    if (performance.now() > deadline) throw new Error(`no scrape has seen ${expr} within ${patienceMs} ms`);
    await sleep(200);
  }
}

/** The whole shop, three commits, and a change by hand. */
async function sell(stage: Stage): Promise<void> {
  const repository = await stage.git.createRepository('shop');
  await repository.commit({ from: samples, message: 'The shop' });
  const text = await readFile(join(samples, 'root.yaml'), 'utf8');
  await stage.kube.create(applicationsPath, parse(text.replaceAll('https://git.example.com/shop.git', repository.url)));
  await stage.view.until(
    'the shop is up',
    (apps) => (apps.get('shipping-dev')?.status?.history?.length ?? 0) > 0,
    patienceMs,
  );
  await stage.settles('shipping-dev');
  const path = 'services/shipping/dev/carriers/post.yaml';
  for (const days of ['2', '3', '4']) {
    const changed = (await repository.read(path)).replace(/post\.days: "\d"/, `post.days: "${days}"`);
    await stage.settles('shipping-dev', await stage.push(repository, { [path]: changed }));
  }
  await stage.kube.merge('/apis/apps/v1/namespaces/shop-dev/deployments/shipping', { spec: { replicas: 3 } });
  await stage.until('shipping-dev', 'is healed', ({ status }) => {
    const { phase, operation } = status?.operationState ?? {};
    return phase === 'Succeeded' && (operation?.sync?.autoHealAttemptsCount ?? 0) > 0;
  });
}

/** A commit that the API server refuses, one that it takes, and another bad one, which is left. */
async function fail(stage: Stage, prometheus: Prometheus): Promise<void> {
  const good = (value: string): string => configMap('settings', { value });
  const bad = good('').replace('"data"', '"dota"');
  const repository = await stage.repository('unlucky', { 'settings.yaml': good('1') });
  await stage.application('unlucky', repository, { syncPolicy: { automated, ...options, retry: { limit: 0 } } });
  await stage.settles('unlucky');
  const refused = async (): Promise<unknown> => {
    const commit = await stage.push(repository, { 'settings.yaml': bad });
    return stage.until('unlucky', 'is refused', ({ status }) => {
      const { phase, syncResult } = status?.operationState ?? {};
      return phase === 'Failed' && syncResult?.revision === commit;
    });
  };
  await refused();
  await scraped(prometheus, 'argocd_app_sync_total{name="unlucky", phase="Failed"}');
  await stage.settles('unlucky', await stage.push(repository, { 'settings.yaml': good('2') }));
  await refused();
}

/** An object that is Healthy, and twice Degraded and Healthy again. */
async function degrade(stage: Stage, prometheus: Prometheus): Promise<void> {
  const certificate = { apiVersion: 'cert-manager.io/v1', kind: 'Certificate', metadata: { name: 'web' } };
  const repository = await stage.repository('web', {
    'definition.json': JSON.stringify(certificates),
    'certificate.json': JSON.stringify(certificate),
  });
  await stage.application('web', repository);
  const becomes = async (ready: 'True' | 'False', health: string): Promise<void> => {
    const status = { conditions: [{ type: 'Ready', status: ready }] };
    await stage.kube.merge('/apis/cert-manager.io/v1/namespaces/web/certificates/web/status', { status });
    await stage.until('web', `is ${health}`, (app) => app.status?.health?.status === health);
  };
  await stage.until('web', 'is applied', ({ status }) => status?.operationState?.phase === 'Succeeded');
  await becomes('True', 'Healthy');
  await becomes('False', 'Degraded');
  await becomes('True', 'Healthy');
  await scraped(prometheus, 'mooring_restore_seconds_count > 0');
  await becomes('False', 'Degraded');
  await becomes('True', 'Healthy');
}

async function comeAndGo(stage: Stage): Promise<void> {
  const repository = await stage.repository('guest', { 'settings.yaml': configMap('settings', {}) });
  await stage.application('guest', repository);
  await stage.settles('guest');
  await stage.kube.remove(`${applicationsPath}/guest`);
  await stage.view.until('guest is gone', (apps) => !apps.has('guest'), patienceMs);
}

/** A source that is not there. */
async function lose(stage: Stage): Promise<void> {
  const repository = await stage.repository('lost', { 'settings.yaml': configMap('settings', {}) });
  const source = { repoURL: repository.url, path: 'nowhere', targetRevision: 'main' };
  await stage.application('lost', repository, { source });
  await stage.until('lost', 'is Unknown', ({ status }) => status?.sync?.status === 'Unknown');
}

const certificates = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'certificates.cert-manager.io' },
  spec: {
    group: 'cert-manager.io',
    scope: 'Namespaced',
    names: { plural: 'certificates', singular: 'certificate', kind: 'Certificate', listKind: 'CertificateList' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};
