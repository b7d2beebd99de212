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
  /** What was rendered and is refused; only where `RenderContext.debug` asks for it: it may hold secrets. */
  readonly rendered?: string;
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
  readonly rendered?: string;

  constructor(code: RenderErrorCode, message: string, place: RenderErrorPlace = {}) {
    super(shortened(message), place.cause === undefined ? undefined : { cause: place.cause });
    this.code = code;
    if (place.file !== undefined) this.file = place.file;
    if (place.line !== undefined) this.line = place.line;
    if (place.rendered !== undefined) this.rendered = place.rendered;
  }
}

/** What was thrown, with what was rendered if it is a `RenderError` that lacks it and there is such a text. */
export function withRendered(thrown: unknown, rendered: string | undefined): unknown {
  if (!(thrown instanceof RenderError) || thrown.rendered !== undefined || rendered === undefined) return thrown;
  const { code, message, file, line, cause } = thrown;
  return new RenderError(code, message, {
    ...(file !== undefined && { file }),
    ...(line !== undefined && { line }),
    rendered,
    cause,
  });
}

/** The end says more than the middle: the cause of what the beginning names. */
function shortened(message: string): string {
  if (message.length <= messageMax) return message;
  const half = messageMax / 2 - 2;
  return `${message.slice(0, half)} … ${message.slice(-half)}`;
}
