import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from '../cluster/processes.ts';
import { applicationsPath } from '../harness/applications.ts';
import { connectKube } from '../harness/kube.ts';
import { endProcess, forgetLeft, type Left, readLeft } from './left.ts';
import { kubeconfigOf, removePlace } from './place.ts';

const shopGoneMs = 120_000;

/** Removes what the file says is left, and the file. Each step is taken, whatever becomes of the others; answers whether all went well. */
export async function takeDown(path: string, say: (line: string) => void): Promise<boolean> {
  const left = await readLeft(path);
  if (left === undefined) return true;
  let well = true;
  const step = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (thrown) {
      well = false;
      say(`could not ${what}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    }
  };
  const { cluster, operator, gitServer, folder } = left;
  // On a cluster that stays, the shop goes with its root, and it is the operator that removes it.
  if (cluster?.kind === 'context') await step('remove the shop', () => removeShop(cluster.context, left, say));
  await step('stop the operator', () => endProcess(operator));
  await step('stop the Git server', () => endProcess(gitServer));
  if (cluster !== undefined) await step('remove the cluster', () => removePlace(cluster));
  if (folder !== undefined) await step(`remove ${folder}`, () => rm(folder, { recursive: true, force: true }));
  // Kept where something stays, so that the next try finds it.
  if (well) await forgetLeft(path);
  return well;
}

async function removeShop(context: string, { operator }: Left, say: (line: string) => void): Promise<void> {
  if (operator === undefined) return;
  if (!isAlive(operator)) {
    say(`the operator has ended: the shop stays in the context ${context}, in the namespaces argocd and shop-*`);
    return;
  }
  const kube = await connectKube(await kubeconfigOf(context), context);
  try {
    await kube.remove(`${applicationsPath}/shop`);
    const deadline = performance.now() + shopGoneMs;
    for (;;) {
      const names = (await kube.list(applicationsPath)).map(({ metadata }) => metadata.name);
      if (names.length === 0) break;
      if (performance.now() > deadline) throw new Error(`these are still there after 2 minutes: ${names.join(', ')}`);
      await sleep(200);
    }
    say(`the shop is removed; the CRDs and the namespaces argocd and shop-*, now empty, stay in ${context}`);
  } finally {
    await kube.close();
  }
}
