import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const MAX_HEAD_BYTES = 16 * 1024;
const MAX_ERROR_CHARS = 4096;

/** An answer that is not git's: what went wrong before a byte of git's answer was sent. */
export class HttpError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export type Exchange = {
  /** The program `git-http-backend`. */
  program: string;
  env: Record<string, string>;
  request: IncomingMessage;
  response: ServerResponse;
  /** A longer request body is refused: with 413, or by ending the connection where git has begun to answer. */
  maxBodyBytes: number;
  /** Ends the program. */
  signal: AbortSignal;
};

/**
 * Hands one request to git's CGI program (RFC 3875, and git-http-backend's manual page) and streams its answer,
 * which the caller ends. Throws HttpError while nothing has been sent yet; any later failure throws what it was.
 */
export async function answerWithGit(exchange: Exchange): Promise<void> {
  const { program, env, request, response, maxBodyBytes, signal } = exchange;
  if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) throw tooLong(maxBodyBytes);
  const child = spawn(program, [], { env, stdio: 'pipe', signal });
  let errors = '';
  let failure: Error | undefined;
  child.on('error', (error) => {
    failure ??= error;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString('utf8')).slice(0, MAX_ERROR_CHARS);
  });
  const closed = new Promise((resolve) => child.once('close', resolve));
  sendBody(request, child, maxBodyBytes).catch((error: Error) => {
    failure ??= error;
    child.kill();
  });

  const chunks = child.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    const head = await readHead(chunks);
    if (failure) throw failure;
    if (!head) throw new HttpError(500, `git http-backend gave no answer: ${errors.trim() || '(no message)'}`);
    response.writeHead(head.status, head.headers);
    const rest = async function* (): AsyncGenerator<Buffer> {
      yield head.rest;
      for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
    };
    await pipeline(rest, response, { end: false });
    if (failure) throw failure;
  } catch (error) {
    child.kill();
    // A program counts as closed only when nothing is left to read.
    child.stdout.destroy();
    child.stderr.destroy();
    throw failure ?? error;
  } finally {
    await closed;
  }
}

async function sendBody(request: IncomingMessage, child: ChildProcessWithoutNullStreams, max: number): Promise<void> {
  let bytes = 0;
  const limit = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > max) done(tooLong(max));
      else done(null, chunk);
    },
  });
  try {
    await pipeline(request, limit, child.stdin);
  } catch (error) {
    // The program may answer without reading everything it was sent.
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  }
}

function tooLong(max: number): HttpError {
  return new HttpError(413, `the request is longer than ${max} bytes`);
}

type Head = { status: number; headers: Record<string, string>; rest: Buffer };

/** The header lines of a CGI answer; undefined when the program ended without any. */
async function readHead(chunks: AsyncIterator<Buffer>): Promise<Head | undefined> {
  let seen: Buffer = Buffer.alloc(0);
  for (let end = -1; end < 0; end = seen.indexOf('\r\n\r\n')) {
    if (seen.length > MAX_HEAD_BYTES) throw new HttpError(500, 'git http-backend sent too long a header');
    const next = await chunks.next();
    if (next.done) return undefined;
    seen = Buffer.concat([seen, next.value]);
  }
  const end = seen.indexOf('\r\n\r\n');
  const headers: Record<string, string> = {};
  let status = 200;
  for (const line of seen.subarray(0, end).toString('latin1').split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === 'status') status = Number.parseInt(value, 10);
    else headers[name] = value;
  }
  return { status, headers, rest: seen.subarray(end + 4) };
}
