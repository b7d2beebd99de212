import { randomBytes } from 'node:crypto';

/** Where somebody else's span is: W3C Trace Context, https://www.w3.org/TR/trace-context. */
export interface RemoteSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly isSampled: boolean;
  readonly state: string | undefined;
}

/** Characters of `tracestate` that are carried on; the standard asks for at least these. */
const stateLength = 512;

/** Reads the headers `traceparent` and `tracestate`; undefined where the first is none, as the standard has it. */
export function readTraceparent(traceparent: string, tracestate: string | undefined): RemoteSpan | undefined {
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(traceparent.trim());
  const [, version, traceId = '', spanId = '', flags = '', rest] = match ?? [];
  if (match === null || version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  const state = tracestate !== undefined && /^[ -~]+$/.test(tracestate) ? tracestate : undefined;
  return {
    traceId,
    spanId,
    isSampled: (Number.parseInt(flags, 16) & 1) === 1,
    state: state !== undefined && state.length <= stateLength ? state : undefined,
  };
}

/** The header for requests that are made in a recorded span. */
export function formatTraceparent(traceId: string, spanId: string): string {
  return `00-${traceId}-${spanId}-01`;
}

/**
 * A trace id in the form that AWS X-Ray takes: the first 32 bits are seconds since 1970.
 * https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html
 */
export function xrayTraceId(nowMs: number): string {
  const seconds = Math.floor(nowMs / 1_000) >>> 0;
  return seconds.toString(16).padStart(8, '0') + randomBytes(12).toString('hex');
}

export function newSpanId(): string {
  return randomBytes(8).toString('hex');
}

/** Whether a trace is among the share that is recorded: by the same bits of its id as in OpenTelemetry's other SDKs, so that all who see it decide alike. */
export function isSampled(traceId: string, ratio: number): boolean {
  if (ratio >= 1) return true;
  return BigInt(`0x${traceId.slice(16)}`) >> 1n < BigInt(Math.floor(ratio * 2 ** 63));
}
