import { parseArgs } from 'node:util';
import { buildCluster, buildHelm, listClusters, type NodeKind, startCluster, stopCluster, sweep } from './cluster.ts';

const usage = `usage: node e2e/cluster/main.ts COMMAND [--name NAME] [--node real|simulated|none]

  build   build the programs that are missing (with --node real: containerd and the sample web server too)
  helm    build the helm program, if it is missing, and print its path
  up      start a cluster that stays, and print the path of its kubeconfig
  down    stop the cluster of that name and remove all it made
  list    show the clusters of this checkout
  sweep   remove what clusters left whose process has ended

NAME is "mooring" and the node "none" where nothing else is said.`;

const nodes: readonly string[] = ['real', 'simulated', 'none'] satisfies NodeKind[];

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      name: { type: 'string', default: 'mooring' },
      node: { type: 'string', default: 'none' },
      help: { type: 'boolean', default: false },
    },
  });
  const { name, node } = values;
  if (!nodes.includes(node)) throw new Error(`--node ${node}: use real, simulated or none`);
  const onProgress = (line: string): void => console.error(line);
  switch (values.help ? 'help' : positionals.join(' ')) {
    case 'build':
      await buildCluster({ realNode: node === 'real', onProgress });
      return;
    case 'helm':
      console.log(await buildHelm(onProgress));
      return;
    case 'up': {
      const cluster = await startCluster({ name, node: node as NodeKind, detached: true, onProgress });
      cluster.api.close();
      console.log(cluster.kubeconfigPath);
      return;
    }
    case 'down':
      console.error((await stopCluster(name)) ? `stopped the cluster ${name}` : `no cluster named ${name} is there`);
      return;
    case 'list':
      for (const cluster of await listClusters()) {
        console.log(`${cluster.name}\t${cluster.alive ? 'running' : 'left behind'}\t${cluster.dir}`);
      }
      return;
    case 'sweep':
      for (const swept of await sweep()) console.error(`removed the cluster ${swept}`);
      return;
    case 'help':
      console.log(usage);
      return;
    default:
      console.error(usage);
      process.exitCode = 2;
  }
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
