export * from './engine.ts';
export * from './environment.ts';
export * from './fields.ts';
