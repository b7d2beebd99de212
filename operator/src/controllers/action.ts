/** When a reconciler wants to be called again. Changes of what it depends on wake it in any case. */
export type Action = { readonly do: 'await' } | { readonly do: 'again'; readonly afterMs: number };

export const awaitChange: Action = { do: 'await' };

export function requeueAfter(afterMs: number): Action {
  return { do: 'again', afterMs: Math.max(0, afterMs) };
}
