export type { Renderer } from '@mooring/renderer-contract';
export { healthOf } from './engine/health/health.ts';
export {
  createOperator,
  type LeaderElectionOptions,
  type Operator,
  type OperatorOptions,
  type RepositoryPermissions,
} from './operator.ts';
export { defaultRenderers } from './renderers.ts';
