import type { Fault } from '../../model/fault.ts';
import type { RenderAnswer } from '../../world/renderer.ts';
import type { Sights, Surroundings } from './dependencies.ts';

/** One outcome of a render, and what it depends on besides its key. */
export interface RenderResult {
  readonly reads: Sights;
  readonly surroundings: Surroundings;
  readonly outcome: RenderAnswer | Fault;
  /** About how much memory it takes. */
  readonly bytes: number;
}

/** Outcomes by key, the latest first; the keys used least recently are dropped beyond a number of bytes. */
export interface RenderCache {
  results(key: string): readonly RenderResult[];
  /** Makes a result the latest of its key, and the key the one used last. */
  put(key: string, result: RenderResult): void;
  size(): { readonly bytes: number; readonly entries: number };
  clear(): void;
}

/** `resultsKept` is for each key. `dropped` is told of each key that goes. */
export function createRenderCache(
  bytesMax: number,
  resultsKept: number,
  dropped: (key: string) => void = () => {},
): RenderCache {
  const entries = new Map<string, readonly RenderResult[]>();
  let bytes = 0;
  const sizeOf = (results: readonly RenderResult[]): number => results.reduce((sum, result) => sum + result.bytes, 0);
  return {
    results: (key) => entries.get(key) ?? [],
    put(key, result) {
      const before = entries.get(key) ?? [];
      const kept = [result, ...before.filter((other) => other !== result)].slice(0, resultsKept);
      entries.delete(key);
      entries.set(key, kept);
      bytes += sizeOf(kept) - sizeOf(before);
      for (const [oldest, results] of entries) {
        if (bytes <= bytesMax || oldest === key) break;
        entries.delete(oldest);
        bytes -= sizeOf(results);
        dropped(oldest);
      }
    },
    size: () => ({ bytes, entries: entries.size }),
    clear() {
      entries.clear();
      bytes = 0;
    },
  };
}
