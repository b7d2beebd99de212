/** The forms of the protobuf encoding that OTLP uses: https://protobuf.dev/programming-guides/encoding. Fields are named by their number. */

const wireVarint = 0;
const wireFixed64 = 1;
const wireBlock = 2;
const wireFixed32 = 5;

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return bytes;
}

function tag(field: number, wire: number): number[] {
  return varint(BigInt(field * 8 + wire));
}

/** A field of type int64, enum or bool. */
export function integer(field: number, value: number | bigint): Uint8Array {
  return Uint8Array.from([...tag(field, wireVarint), ...varint(BigInt(value))]);
}

/** A field of as many bytes as `write` fills behind its tag. */
function fixed(field: number, wire: number, size: number, write: (bytes: Buffer, at: number) => void): Uint8Array {
  const head = tag(field, wire);
  const bytes = Buffer.alloc(head.length + size);
  bytes.set(head);
  write(bytes, head.length);
  return bytes;
}

export function fixed64(field: number, value: bigint): Uint8Array {
  return fixed(field, wireFixed64, 8, (bytes, at) => bytes.writeBigUInt64LE(value, at));
}

export function fixed32(field: number, value: number): Uint8Array {
  return fixed(field, wireFixed32, 4, (bytes, at) => bytes.writeUInt32LE(value, at));
}

export function double(field: number, value: number): Uint8Array {
  return fixed(field, wireFixed64, 8, (bytes, at) => bytes.writeDoubleLE(value, at));
}

/** A field of type bytes or message; its parts follow each other. */
export function block(field: number, parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Uint8Array.from([...tag(field, wireBlock), ...varint(BigInt(length))]), ...parts]);
}

export function text(field: number, value: string): Uint8Array {
  return block(field, [Buffer.from(value)]);
}

/** The fields of a message, in their order: integers as bigint, anything else as bytes. Undefined where it is none. */
export function readFields(message: Uint8Array): { field: number; value: bigint | Uint8Array }[] | undefined {
  const fields: { field: number; value: bigint | Uint8Array }[] = [];
  let at = 0;
  const next = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message[at];
      if (byte === undefined) break;
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return -1n;
  };
  while (at < message.length) {
    const head = next();
    const wire = Number(head & 7n);
    const value = wire === wireVarint || wire === wireBlock ? next() : 0n;
    const length = wire === wireBlock ? value : wire === wireFixed64 ? 8n : wire === wireFixed32 ? 4n : 0n;
    const isKnown = wire === wireVarint || length > 0n || wire === wireBlock;
    if (head < 0n || value < 0n || !isKnown || length > BigInt(message.length - at)) return undefined;
    const end = at + Number(length);
    fields.push({ field: Number(head >> 3n), value: wire === wireVarint ? value : message.subarray(at, end) });
    at = end;
  }
  return fields;
}
