import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Cluster, startCluster } from '../cluster/cluster.ts';
import { openShell, type Shell } from '../harness/helm.ts';
import { connectKube, type Kube } from '../harness/kube.ts';
import { type OperatorProcess, startOperatorProcess } from '../harness/operator-process.ts';

/** A cluster without nodes, and what an administrator has to install things with. */
export interface Place {
  readonly cluster: Cluster;
  readonly kube: Kube;
  readonly shell: Shell;
  /** Makes a namespace whose pods must meet Pod Security `restricted`. */
  namespace(name: string): Promise<void>;
  /** Runs the operator outside of the cluster, with nothing but the rights of a service account. */
  operatorAs(
    account: { readonly namespace: string; readonly name: string },
    args?: readonly string[],
  ): Promise<OperatorProcess>;
  close(): Promise<void>;
}

export async function openPlace(name: string): Promise<Place> {
  const cluster = await startCluster({ name, node: 'none' });
  const shell = await openShell(cluster, (line) => console.log(`# ${line}`));
  const kube = await connectKube(cluster.kubeconfigPath);
  const operators: OperatorProcess[] = [];
  return {
    cluster,
    kube,
    shell,
    async namespace(of) {
      const labels = Object.fromEntries(
        ['enforce', 'warn'].map((mode) => [`pod-security.kubernetes.io/${mode}`, 'restricted']),
      );
      await kube.apply(`/api/v1/namespaces/${of}`, {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: of, labels },
      });
    },
    async operatorAs(account, args = []) {
      const path = `/api/v1/namespaces/${account.namespace}/serviceaccounts/${account.name}/token`;
      const answer = await kube.create(path, {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {},
      });
      const folder = await mkdtemp(join(cluster.dir, 'operator-'));
      const kubeconfigPath = join(folder, 'kubeconfig');
      const user = { token: answer['status'].token };
      const config = {
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'here', cluster: { server: cluster.server, 'certificate-authority-data': cluster.caData } }],
        users: [{ name: 'account', user }],
        contexts: [{ name: 'here', context: { cluster: 'here', user: 'account' } }],
        'current-context': 'here',
      };
      await writeFile(kubeconfigPath, JSON.stringify(config));
      const logPath = join('.mooring', 'e2e', `${name}-${account.namespace}.log`);
      await mkdir(join(folder, 'data'));
      const operator = await startOperatorProcess({
        kubeconfigPath,
        namespace: account.namespace,
        dataDirectory: join(folder, 'data'),
        logPath,
        args,
      });
      operators.push(operator);
      return operator;
    },
    async close() {
      for (const operator of operators) if (operator.isRunning()) await operator.stop();
      await kube.close();
      await cluster.stop();
    },
  };
}

/** The shell blocks of a page, in order. */
export async function shellBlocks(page: URL): Promise<string[]> {
  const text = await readFile(page, 'utf8');
  return Array.from(text.matchAll(/^```sh\n(.*?)^```$/gms), ([, block = '']) => block);
}
