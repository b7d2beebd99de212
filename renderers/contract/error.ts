/** Why a render failed; closed, to branch on. The message is for people. */
export type RenderErrorCode =
  | 'not-found'
  | 'outside-tree'
  | 'syntax'
  | 'template'
  | 'build'
  | 'invalid'
  | 'limit'
  | 'timeout'
  | 'unsupported'
  | 'crashed';

/** Where in the source a render failed. */
export interface RenderErrorPlace {
  /** Path in the tree. */
  readonly file?: string;
  /** First line is 1. */
  readonly line?: number;
  readonly cause?: unknown;
}

/** The longest message, in characters: it is shown in the status of an Application. An engine may repeat itself for every level of a recursion. */
const messageMax = 3_000;

/** A render that cannot succeed with this input: names the file and line where it knows them, and says what to do. A message that is too long loses its middle. */
export class RenderError extends Error {
  override readonly name = 'RenderError';
  readonly code: RenderErrorCode;
  readonly file?: string;
  readonly line?: number;

  constructor(code: RenderErrorCode, message: string, place: RenderErrorPlace = {}) {
    super(shortened(message), place.cause === undefined ? undefined : { cause: place.cause });
    this.code = code;
    if (place.file !== undefined) this.file = place.file;
    if (place.line !== undefined) this.line = place.line;
  }
}

/** The end says more than the middle: the cause of what the beginning names. */
function shortened(message: string): string {
  if (message.length <= messageMax) return message;
  const half = messageMax / 2 - 2;
  return `${message.slice(0, half)} … ${message.slice(-half)}`;
}
