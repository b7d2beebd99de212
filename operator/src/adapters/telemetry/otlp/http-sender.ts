import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { messageOf } from '../../../model/fault.ts';
import { readResponse, readStatus } from './encode.ts';
import {
  answerBytes,
  defaultRequestMs,
  type Receiver,
  type Reply,
  type Sender,
  shorten,
  withoutHeaders,
} from './sender.ts';

/** Statuses after which the same request may be taken: https://opentelemetry.io/docs/specs/otlp, OTLP/HTTP. */
const retryable: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** OTLP/HTTP in its binary form, on one kept connection. */
export function httpSender({ url, headers }: Receiver, requestMs: number = defaultRequestMs): Sender {
  const isTls = url.protocol === 'https:';
  const request = isTls ? tlsRequest : plainRequest;
  const agent = new (isTls ? TlsAgent : PlainAgent)({ keepAlive: true, maxSockets: 1 });
  return {
    send(body) {
      return new Promise((resolve) => {
        const later = (reason: string): void => resolve({ kind: 'later', reason: shorten(reason) });
        const outgoing = request(url, {
          agent,
          method: 'POST',
          signal: AbortSignal.timeout(requestMs),
          headers: {
            ...headers,
            'content-type': 'application/x-protobuf',
            'content-length': body.length,
            'user-agent': 'mooring',
          },
        });
        outgoing.on('error', (thrown) => {
          const isSlow = thrown.name === 'AbortError' || thrown.name === 'TimeoutError';
          later(isSlow ? `no answer within ${requestMs / 1_000} s` : messageOf(thrown));
        });
        outgoing.on('response', (response) => {
          readBody(response).then(
            (answer) => resolve(withoutHeaders(replyOf(response, answer), headers)),
            (thrown: unknown) => later(messageOf(thrown)),
          );
        });
        outgoing.end(body);
      });
    },
    close: () => agent.destroy(),
  };
}

async function readBody(response: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes <= answerBytes) chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function replyOf({ statusCode = 0, headers }: IncomingMessage, body: Uint8Array): Reply {
  if (statusCode >= 200 && statusCode < 300) return { kind: 'taken', ...readResponse(body) };
  const isProtobuf = headers['content-type'] === 'application/x-protobuf';
  const told = shorten(isProtobuf ? readStatus(body) : Buffer.from(body).toString());
  const reason = `HTTP ${statusCode}${told === '' ? '' : ` (${told})`}`;
  if (!retryable.has(statusCode)) return { kind: 'refused', reason };
  const seconds = Number(headers['retry-after']);
  return { kind: 'later', reason, ...(seconds > 0 && { afterMs: seconds * 1_000 }) };
}
