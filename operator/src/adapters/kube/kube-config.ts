import { registerHooks } from 'node:module';
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js';

/** What `config.js` imports from the generated client: only `makeApiClient`, which is not used here, would call it. */
export const generatedClientStub =
  'export function createConfiguration() { throw new Error("the generated client is not loaded"); } export class ServerConfiguration {}';
const generatedClient = `data:text/javascript,${encodeURIComponent(generatedClientStub)}`;

/**
 * An empty `KubeConfig` of `@kubernetes/client-node`. The generated client that comes with it, some 600 modules and 42 MB of memory for as
 * long as the process lives, is left out; where the package's layout has changed it is loaded after all, and nothing else differs.
 */
export async function newKubeConfig(): Promise<KubeConfig> {
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      specifier === './gen/index.js' && context.parentURL?.endsWith('/@kubernetes/client-node/dist/config.js') === true
        ? { url: generatedClient, shortCircuit: true }
        : next(specifier, context),
  });
  try {
    const module = await import('@kubernetes/client-node/dist/config.js');
    return new module.KubeConfig();
  } finally {
    hooks.deregister();
  }
}
