import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { buildImage } from '../../image/build.ts';
import { buildHelm, type Cluster, type Json, type Progress } from '../cluster/cluster.ts';

const chart = fileURLToPath(new URL('../../charts/mooring', import.meta.url));
const namespace = 'argocd';
const leasePath = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/mooring`;
const podsPath = `/api/v1/namespaces/${namespace}/pods?labelSelector=app.kubernetes.io%2Finstance%3Dmooring`;

/** Mooring as users run it: pods of its image, installed from its chart by Helm itself. */
export interface Installed {
  /** Installs or upgrades with these values, and waits until Helm says that it is done. */
  install(values: object): Promise<void>;
  uninstall(): Promise<void>;
  /** Pods that are not on their way out, by name. */
  pods(): Promise<readonly InstalledPod[]>;
  /** Name of the pod that holds the lease; empty where nobody does. */
  leader(): Promise<string>;
}

export interface InstalledPod {
  readonly name: string;
  /** `http://ADDRESS:8080`; empty before it has one. */
  readonly url: string;
  readonly ready: boolean;
  readonly uid: string;
  /** What containerd calls its container, once it runs. */
  readonly containerId: string;
  readonly restarts: number;
}

/** Builds the image and makes it known to the cluster's node, in the namespace `argocd` whose Pod Security is `restricted`. */
export async function prepareInstallation(cluster: Cluster, onProgress: Progress): Promise<Installed> {
  const helm = await buildHelm(onProgress);
  const image = await buildImage({ onProgress });
  await cluster.loadImage(image.archive);
  const separator = image.reference.lastIndexOf(':');
  const [repository, tag] = [image.reference.slice(0, separator), image.reference.slice(separator + 1)];
  await cluster.api.call('POST', '/api/v1/namespaces', {
    metadata: { name: namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
  });
  const run = async (...args: string[]): Promise<void> => {
    const all = [...args, '--namespace', namespace, '--kubeconfig', cluster.kubeconfigPath];
    const env = { ...process.env, HOME: cluster.dir, NO_PROXY: '*', no_proxy: '*' };
    await promisify(execFile)(helm, all, { env });
  };
  return {
    async install(values) {
      const file = join(cluster.dir, 'values.json');
      await writeFile(file, JSON.stringify({ global: { image: { repository, tag } }, ...values }));
      await run('upgrade', '--install', 'mooring', chart, '--values', file, '--wait', '--timeout', '3m');
    },
    uninstall: () => run('uninstall', 'mooring', '--wait'),
    async pods() {
      const { items } = await cluster.api.call('GET', podsPath);
      return (items as Json[])
        .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
        .map(({ metadata, status }) => ({
          name: metadata.name,
          uid: metadata.uid,
          containerId: String(status.containerStatuses?.[0]?.containerID ?? '').replace(/^containerd:\/\//, ''),
          restarts: status.containerStatuses?.[0]?.restartCount ?? 0,
          url: status.podIP === undefined ? '' : `http://${status.podIP}:8080`,
          ready: (status.conditions ?? []).some((one: Json) => one.type === 'Ready' && one.status === 'True'),
        }));
    },
    async leader() {
      const lease = await cluster.api.call('GET', leasePath).catch((thrown: { status?: number }) => {
        if (thrown.status === 404) return undefined;
        throw thrown;
      });
      return lease?.spec?.holderIdentity ?? '';
    },
  };
}

/** What a pod answers. Throws where it does not, within 10 s. */
export function answerOf(url: string): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { timeout: 10_000 }, (response) => {
      response.setEncoding('utf8');
      let text = '';
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on('timeout', () => sent.destroy(new Error(`${url}: no answer after 10 s`)));
    sent.on('error', reject);
    sent.end();
  });
}

/** Calls until the answer is neither false nor undefined, and answers it. Throws after `patienceMs`. */
export async function eventually<T>(
  what: string,
  patienceMs: number,
  check: () => Promise<T | false | undefined>,
): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const result = await check();
    if (result !== false && result !== undefined) return result;
    if (performance.now() > deadline) throw new Error(`after ${patienceMs / 1_000} s it is still not so that ${what}`);
    await sleep(50);
  }
}
