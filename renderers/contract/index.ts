export * from './error.ts';
export * from './manifest.ts';
export * from './objects.ts';
export * from './reader.ts';
export * from './recording.ts';
export * from './renderer.ts';
export { rawNumber } from './scalar.ts';
export * from './tree.ts';
export * from './yaml.ts';
