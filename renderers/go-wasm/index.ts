export * from './engine.ts';
export * from './environment.ts';
export * from './fields.ts';
export * from './manifests.ts';
export * from './parse.ts';
