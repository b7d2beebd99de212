import { readRenderLimits } from '@mooring/operator/model/render-limits.ts';
import type { Limits } from '@mooring/renderer-contract';
import { Failure } from './failure.ts';

/** What is said of `--render-limit` by the commands that have it. */
export const renderLimitHelp = 'a bound of the render, such as memoryBytes=1Gi or timeMs=120000; may be repeated';

/** The limits that `--render-limit` gives. Throws `Failure`. */
export function renderLimits(texts: readonly string[] | undefined): Partial<Limits> {
  const limits = readRenderLimits(texts ?? []);
  if (typeof limits === 'string') throw new Failure(`--render-limit ${limits}`);
  return limits;
}
