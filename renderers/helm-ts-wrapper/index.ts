export { RenderError, type RenderErrorCode, type Tree, type TreeEntry, treeOf } from '@mooring/renderer-contract';
export { detect } from './detect.ts';
export { createHelm, type Helm, type HelmOptions, helmVersion, type Templated } from './helm.ts';
export type { FileParameter, Parameter, TemplateOptions } from './options.ts';
export { createHelmRenderer, helmRenderer } from './render.ts';
