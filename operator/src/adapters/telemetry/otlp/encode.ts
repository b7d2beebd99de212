import type { SpanAttributes } from '../../../world/tracer.ts';
import { block, double, fixed32, fixed64, integer, readFields, text } from './protobuf.ts';

/** A span that is over. Ids are hex digits, times milliseconds since 1970 with their fractions. */
export interface EndedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | undefined;
  /** Whether the parent is a span of another process. */
  readonly isParentRemote: boolean;
  /** The header `tracestate` that the trace came with. */
  readonly state: string | undefined;
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: SpanAttributes;
  readonly events: readonly { readonly name: string; readonly atMs: number; readonly attributes: SpanAttributes }[];
  readonly failure: string | undefined;
}

/** Characters of one text. */
const textLength = 4_096;
const kindInternal = 1;
const statusError = 2;
/** `SpanFlags`: sampled, and whether the parent is remote is known, and so it is. */
const flags = { sampled: 0x1, parentKnown: 0x100, parentRemote: 0x200 };

/** The span as field `spans` of `ScopeSpans` (opentelemetry/proto/trace/v1/trace.proto), ready to be put into a request. */
export function encodeSpan(span: EndedSpan): Uint8Array {
  const { parentId, state, failure } = span;
  return block(2, [
    block(1, [Buffer.from(span.traceId, 'hex')]),
    block(2, [Buffer.from(span.spanId, 'hex')]),
    ...(state === undefined ? [] : [text(3, state)]),
    ...(parentId === undefined ? [] : [block(4, [Buffer.from(parentId, 'hex')])]),
    text(5, cut(span.name)),
    integer(6, kindInternal),
    fixed64(7, nanoseconds(span.startMs)),
    fixed64(8, nanoseconds(Math.max(span.startMs, span.endMs))),
    ...attributes(9, span.attributes),
    ...span.events.map((event) =>
      block(11, [fixed64(1, nanoseconds(event.atMs)), text(2, cut(event.name)), ...attributes(3, event.attributes)]),
    ),
    ...(failure === undefined ? [] : [block(15, [text(2, cut(failure)), integer(3, statusError)])]),
    fixed32(16, flags.sampled | flags.parentKnown | (span.isParentRemote ? flags.parentRemote : 0)),
  ]);
}

/** Whose spans they are. */
export interface Resource {
  readonly attributes: SpanAttributes;
  readonly scope: { readonly name: string; readonly version: string };
}

/** An `ExportTraceServiceRequest` of encoded spans. */
export function encodeRequest({ attributes: own, scope }: Resource, spans: readonly Uint8Array[]): Uint8Array {
  const inside = block(1, [text(1, scope.name), text(2, scope.version)]);
  return block(1, [block(1, attributes(1, own)), block(2, [inside, ...spans])]);
}

/** What an `ExportTraceServiceResponse` says about spans that were not taken. */
export function readResponse(body: Uint8Array): { readonly rejected: number; readonly message: string } {
  const partial = readFields(body)?.find(({ field }) => field === 1)?.value;
  const fields = partial instanceof Uint8Array ? (readFields(partial) ?? []) : [];
  const rejected = fields.find(({ field }) => field === 1)?.value;
  return { rejected: typeof rejected === 'bigint' ? Number(rejected) : 0, message: textOf(fields, 2) };
}

/** The message of a `google.rpc.Status`, which a receiver says over HTTP why it refuses. */
export function readStatus(body: Uint8Array): string {
  return textOf(readFields(body) ?? [], 2);
}

function textOf(fields: NonNullable<ReturnType<typeof readFields>>, field: number): string {
  const value = fields.find((one) => one.field === field)?.value;
  return value instanceof Uint8Array ? Buffer.from(value).toString() : '';
}

function attributes(field: number, of: SpanAttributes): Uint8Array[] {
  return Object.entries(of).flatMap(([name, value]) =>
    value === undefined ? [] : [block(field, [text(1, name), block(2, [anyValue(value)])])],
  );
}

function anyValue(value: string | number | boolean): Uint8Array {
  if (typeof value === 'string') return text(1, cut(value));
  if (typeof value === 'boolean') return integer(2, value ? 1 : 0);
  return Number.isSafeInteger(value) ? integer(3, value) : double(4, value);
}

function cut(value: string): string {
  return value.length <= textLength ? value : `${value.slice(0, textLength - 1)}…`;
}

function nanoseconds(ms: number): bigint {
  const whole = Math.floor(ms);
  return BigInt(whole) * 1_000_000n + BigInt(Math.floor((ms - whole) * 1_000_000));
}
