import type { Renderer } from '@mooring/renderer-contract';
import { plainRenderer } from '@mooring/renderer-plain';
import { helmRenderer } from 'helm-ts-wrapper';
import { kustomizeRenderer } from 'kustomize-wasm';

/**
 * The renderers that Mooring brings, in the order in which they are tried: Kustomize, Helm, and plain YAML for everything else. A folder with both a kustomization
 * and a `Chart.yaml` is one of Kustomize, as in Argo CD.
 */
export function defaultRenderers(): readonly Renderer[] {
  return [kustomizeRenderer, helmRenderer, plainRenderer];
}
