import { authorizationValues, maskValues } from '../../../model/mask.ts';

/** What became of one request. */
export type Reply =
  /** `rejected` spans of it were not, for the reason in `message`. */
  | { readonly kind: 'taken'; readonly rejected: number; readonly message: string }
  /** It may be taken later; `afterMs` is what the receiver asks for. */
  | { readonly kind: 'later'; readonly reason: string; readonly afterMs?: number }
  | { readonly kind: 'refused'; readonly reason: string };

/** Sends `ExportTraceServiceRequest`s to one receiver, one at a time. Never throws. */
export interface Sender {
  send(request: Uint8Array): Promise<Reply>;
  /** Ends what is under way. */
  close(): void;
}

/** Where a receiver is. */
export interface Receiver {
  /** `host:port` of OTLP/gRPC, `http(s)://…` of OTLP/HTTP. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

/** Milliseconds that one request may take, as in OpenTelemetry's own exporters. */
export const defaultRequestMs = 10_000;
/** Bytes of an answer that are kept. */
export const answerBytes = 65_536;
/** Characters of a receiver's reason that are repeated. */
const reasonLength = 300;

/** A reason as one short line. */
export function shorten(reason: string): string {
  const line = reason.replace(/\s+/g, ' ').trim();
  return line.length <= reasonLength ? line : `${line.slice(0, reasonLength - 1)}…`;
}

/** A reply without the values of the headers that the request had: they may be keys, and a receiver may repeat them. */
export function withoutHeaders(reply: Reply, headers: Receiver['headers']): Reply {
  const sent = Object.values(headers).flatMap((value) => [value, ...authorizationValues(value)]);
  return reply.kind === 'taken'
    ? { ...reply, message: maskValues(reply.message, sent) }
    : { ...reply, reason: maskValues(reply.reason, sent) };
}
