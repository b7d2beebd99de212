import type { Renderer } from '@mooring/renderer-contract';
import { plainRenderer } from '@mooring/renderer-plain';
import { helmRenderer } from 'helm-ts-wrapper';
import { kustomizeRenderer } from 'kustomize-wasm';

/** The renderers that Mooring brings, in the order in which they are tried: Helm, Kustomize, and plain YAML for everything else. */
export function defaultRenderers(): readonly Renderer[] {
  return [helmRenderer, kustomizeRenderer, plainRenderer];
}
