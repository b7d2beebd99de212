/** Messages between an engine and its worker. */

/** Handed to the worker when it starts. */
export interface WorkerStart {
  /** File URL of the module. */
  readonly wasm: string;
  /** File URL of the state that renders start from; absent while it is being made. */
  readonly state?: string;
  /** The most linear memory. */
  readonly memoryBytes: number;
  /** What the engine's collector keeps below where it can. */
  readonly memorySoftBytes: number;
  /** Renders between two returns to the state. */
  readonly rendersPerClone: number;
  /** Counts answers; the worker sleeps on it while it waits for one. */
  readonly answered: Int32Array<SharedArrayBuffer>;
  /** Brings the answers. */
  readonly answers: import('node:worker_threads').MessagePort;
}

/** From the engine. */
export interface RenderMessage {
  readonly request: Uint8Array;
  /** Answer with the state after this render, too. */
  readonly save: boolean;
}

/** What an engine asks; the numbers are those of go/tree.go. */
export const questions = ['stat', 'list', 'read', 'key'] as const;
/** What a worker asks of the tree. Keys it makes itself. */
export type Question = Exclude<(typeof questions)[number], 'key'>;

/** From the worker. */
export type WorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'ask'; readonly question: Question; readonly text: string }
  | {
      readonly kind: 'done';
      readonly sections: readonly Uint8Array[];
      readonly log: string;
      /** Whether it has grown so much that it is to be ended, as it also is after a crash: only then does its memory come back at once. */
      readonly spent: boolean;
      readonly state?: Uint8Array;
    }
  | { readonly kind: 'crashed'; readonly reason: 'memory' | 'stack' | 'other'; readonly message: string };
