export * from './detect.ts';
export * from './options.ts';
export * from './render.ts';
