import type { Manifest, RenderSpec } from '@mooring/renderer-contract';
import type { GitTree } from './git.ts';

/** One source to render. `renderer` names the one to use where the spec decides it; else it is detected. */
export interface RenderRequest extends RenderSpec {
  readonly repository: string;
  readonly renderer?: string;
}

export interface RenderAnswer {
  readonly manifests: readonly Manifest[];
  readonly warnings: readonly string[];
  /** What the source says to whoever installs it: a chart's NOTES.txt. */
  readonly notes?: string;
  /** `Helm`, `Kustomize`, `Directory` or `Plugin`. */
  readonly sourceType: string;
  /** False where nothing that the last render looked at has changed, so that its manifests were taken again. */
  readonly rendered: boolean;
}

/** Renders sources, and remembers by content what it rendered. Throws `Fault` `render-failed` or `render-limit`. */
export interface RenderPool {
  /**
   * Whether the tree differs in anything that this Application's last render looked at; true where that is not known. It only tells what is more urgent:
   * `render` finds out by itself.
   */
  touches(tree: GitTree, source: Pick<RenderRequest, 'repository' | 'appName'>): Promise<boolean>;
  render(tree: GitTree, request: RenderRequest, options: { readonly fresh: boolean }): Promise<RenderAnswer>;
}
