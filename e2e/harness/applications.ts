import { setTimeout as sleep } from 'node:timers/promises';
import type { Application } from '@mooring/crds';
import { applicationCrd, appProjectCrd } from '@mooring/crds';
import type { AnyObject, Kube } from './kube.ts';

export const applicationsPath = '/apis/argoproj.io/v1alpha1/namespaces/argocd/applications';

/** Every Application as it is now, kept by a watch. */
export interface ApplicationView {
  all(): Application[];
  get(name: string): Application | undefined;
  /** Answers the milliseconds it took until the test holds; throws, saying what it saw last, after `timeoutMs`. */
  until(what: string, test: (apps: ReadonlyMap<string, Application>) => boolean, timeoutMs: number): Promise<number>;
  stop(): void;
}

export function viewApplications(kube: Kube): ApplicationView {
  const apps = new Map<string, Application>();
  const waiting = new Set<() => void>();
  const stop = kube.watch(applicationsPath, (type, object) => {
    if (type === 'DELETED') apps.delete(object.metadata.name);
    else apps.set(object.metadata.name, object as unknown as Application);
    for (const check of waiting) check();
  });
  return {
    all: () => [...apps.values()],
    get: (name) => apps.get(name),
    async until(what, test, timeoutMs) {
      const startedAt = performance.now();
      await new Promise<void>((resolve, reject) => {
        const done = (settle: () => void): void => {
          waiting.delete(check);
          clearTimeout(timer);
          settle();
        };
        const check = (): void => {
          if (test(apps)) done(resolve);
        };
        const timer = setTimeout(() => {
          done(() =>
            reject(new Error(`${what}: not after ${timeoutMs} ms; seen last:\n${describe([...apps.values()])}`)),
          );
        }, timeoutMs);
        waiting.add(check);
        check();
      });
      return performance.now() - startedAt;
    },
    stop,
  };
}

/** Synced and Healthy, at the revision if one is given, and with no operation under way. */
export function isSettled(app: Application, revision?: string): boolean {
  const { sync, health, operationState } = app.status ?? {};
  return (
    sync?.status === 'Synced' &&
    health?.status === 'Healthy' &&
    operationState?.phase !== 'Running' &&
    (revision === undefined || sync.revision === revision)
  );
}

function describe(apps: readonly Application[]): string {
  return apps
    .map(({ metadata, status }) => {
      const conditions = status?.conditions?.map(({ type, message }) => `${type}: ${message}`).join('; ') ?? '';
      const operation =
        status?.operationState && `${status.operationState.phase} ${status.operationState.message ?? ''}`;
      return `  ${metadata.name}: ${status?.sync?.status} ${status?.health?.status} ${status?.sync?.revision?.slice(0, 7)} ${operation ?? ''} ${conditions}`;
    })
    .join('\n');
}

/** Installs the CRDs and the namespace `argocd`, and waits until the API server serves them. */
export async function installMooring(kube: Kube): Promise<void> {
  for (const crd of [applicationCrd, appProjectCrd] as unknown as AnyObject[]) {
    await kube.apply(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.metadata.name}`, crd);
  }
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'argocd' } };
  await kube.apply('/api/v1/namespaces/argocd', namespace);
  for (let tries = 0; (await kube.find(applicationsPath)) === undefined; tries += 1) {
    if (tries > 100) throw new Error('the API server does not serve Applications after 10 s');
    await sleep(100);
  }
  for (
    let tries = 0;
    (await kube.find(applicationsPath.replace('applications', 'appprojects'))) === undefined;
    tries += 1
  ) {
    if (tries > 100) throw new Error('the API server does not serve AppProjects after 10 s');
    await sleep(100);
  }
}
