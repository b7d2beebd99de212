import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2';
import { messageOf } from '../../../model/fault.ts';
import { readResponse } from './encode.ts';
import {
  answerBytes,
  defaultRequestMs,
  type Receiver,
  type Reply,
  type Sender,
  shorten,
  withoutHeaders,
} from './sender.ts';

const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
const ok = 0;
const unimplemented = 12;
/** Status codes after which the same request may be taken: https://opentelemetry.io/docs/specs/otlp, OTLP/gRPC. CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, OUT_OF_RANGE, UNAVAILABLE, DATA_LOSS. */
const retryable: ReadonlySet<number> = new Set([1, 4, 8, 10, 11, 14, 15]);

/** OTLP/gRPC, as much of gRPC as one call with one answer takes: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md. */
export function grpcSender({ url, headers }: Receiver, requestMs: number = defaultRequestMs): Sender {
  let session: ClientHttp2Session | undefined;
  let lastError: string | undefined;

  const open = (): ClientHttp2Session => {
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    lastError = undefined;
    const made = connect(url);
    made.on('error', (thrown) => {
      lastError = messageOf(thrown);
    });
    made.on('goaway', () => made.close());
    made.unref();
    session = made;
    return made;
  };

  return {
    send(request) {
      return new Promise((resolve) => {
        const current = open();
        // A receiver that does not answer may be behind a connection that is dead and does not know it: the next request gets another one.
        const timer = setTimeout(() => {
          settle({ kind: 'later', reason: `no answer within ${requestMs / 1_000} s` });
          current.destroy();
        }, requestMs);
        const settle = (reply: Reply): void => {
          clearTimeout(timer);
          resolve(withoutHeaders(reply, headers));
        };
        let stream: ClientHttp2Stream;
        try {
          stream = current.request({
            ...headers,
            ':method': 'POST',
            ':path': path,
            'content-type': 'application/grpc',
            te: 'trailers',
            'grpc-timeout': `${requestMs}m`,
            'user-agent': 'mooring',
          });
        } catch (thrown) {
          settle({ kind: 'later', reason: messageOf(thrown) });
          return;
        }
        let answer: IncomingHttpHeaders = {};
        const chunks: Uint8Array[] = [];
        let bytes = 0;
        stream.on('response', (first) => {
          answer = first;
        });
        stream.on('trailers', (last) => {
          answer = { ...answer, ...last };
        });
        stream.on('data', (chunk: Uint8Array) => {
          bytes += chunk.length;
          if (bytes <= answerBytes) chunks.push(chunk);
        });
        stream.on('error', (thrown) => {
          lastError ??= messageOf(thrown);
        });
        stream.on('close', () => settle(replyOf(answer, Buffer.concat(chunks), lastError)));
        stream.end(frame(request));
      });
    },
    close() {
      session?.destroy();
      session = undefined;
    },
  };
}

/** One message, not compressed. */
function frame(message: Uint8Array): Uint8Array {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function replyOf(answer: IncomingHttpHeaders, body: Uint8Array, error: string | undefined): Reply {
  const http = answer[constants.HTTP2_HEADER_STATUS];
  const status = answer['grpc-status'];
  if (http === undefined) return { kind: 'later', reason: shorten(error ?? 'the connection was closed') };
  if (status === undefined) {
    const reason = `HTTP ${http} and no gRPC status: no OTLP/gRPC is spoken there`;
    // As gRPC maps them: what a proxy says while nobody is behind it goes by.
    return [429, 502, 503, 504].includes(Number(http)) ? { kind: 'later', reason } : { kind: 'refused', reason };
  }
  const code = Number(status);
  if (code === ok) return { kind: 'taken', ...readResponse(body.subarray(5)) };
  const told = shorten(percentDecoded(String(answer['grpc-message'] ?? '')));
  const hint = code === unimplemented ? '; the receiver takes no traces' : '';
  const reason = `gRPC status ${code}${told === '' ? '' : ` (${told})`}${hint}`;
  return retryable.has(code) ? { kind: 'later', reason } : { kind: 'refused', reason };
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
