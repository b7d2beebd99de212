import type { Application } from '@mooring/crds';
import { createRenderPool } from '@mooring/operator/adapters/render/render-pool.ts';
import { systemClock } from '@mooring/operator/adapters/time/system.ts';
import { renderRequest } from '@mooring/operator/controllers/application/request.ts';
import { defaultRenderers } from '@mooring/operator/renderers.ts';
import type { Cluster } from '@mooring/operator/world/cluster.ts';
import type { RenderAnswer } from '@mooring/operator/world/renderer.ts';
import type { Limits } from '@mooring/renderer-contract';
import { gitSourceOf } from './application.ts';
import { type Checkout, headCommit } from './checkout.ts';
import { openDiskTree } from './disk-tree.ts';

/** What templates see of the cluster. */
export type RenderTarget = Pick<Cluster, 'version' | 'apiVersions'>;

/** What `argocd-cm` says about renderers, by its keys. */
export type RendererSettings = Readonly<Record<string, string>>;

/** How to render. */
export interface LocalOptions {
  readonly limits: Partial<Limits>;
  readonly settings?: RendererSettings;
  /** Whether a fault has what was rendered in its cause. */
  readonly debug?: boolean;
}

/** Renders an Application as the operator does, but from a checkout on disk instead of its repository. Throws `Fault` and `Failure`. */
export async function renderLocal(
  app: Application,
  checkout: Checkout,
  target: RenderTarget,
  { limits, settings = {}, debug = false }: LocalOptions,
): Promise<RenderAnswer> {
  const commit = await headCommit(checkout);
  const request = renderRequest(app, gitSourceOf(app), { commit }, target as Cluster);
  const pool = createRenderPool({
    renderers: defaultRenderers(),
    clock: systemClock,
    limits,
    debug,
    settings: () => settings,
  });
  // Files on disk have no ids: nothing that is remembered is used again.
  const tree = {
    ...openDiskTree(checkout.root),
    commit: commit || 'no commit',
    committedAt: undefined,
    oid: () => undefined,
  };
  try {
    return await pool.render(tree, { ...request, repository: checkout.root }, { fresh: true });
  } finally {
    await pool.close();
  }
}
