export { RenderError, type RenderErrorCode, type Tree, type TreeEntry, treeOf } from '@mooring/renderer-contract';
export { detect, kustomizationNames } from './detect.ts';
export {
  type Built,
  createKustomize,
  type Kustomize,
  type KustomizeOptions,
  kustomizeVersion,
} from './kustomize.ts';
export type { BuildOptions, Edits, Patch, Replica } from './options.ts';
export { createKustomizeRenderer, kustomizeRenderer } from './render.ts';
