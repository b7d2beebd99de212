/** What a 64-bit, little-endian ELF program or library asks of the system that runs it. */
export interface Elf {
  /** Path of the dynamic loader; absent for a library and for a static program. */
  readonly interpreter?: string;
  /** Names of the libraries that are loaded with it (`DT_NEEDED`). */
  readonly needed: readonly string[];
}

const programHeader = { load: 1, dynamic: 2, interpreter: 3 } as const;
const dynamicTag = { end: 0, needed: 1, stringTable: 5 } as const;

/** Reads a program or library (System V ABI, chapters 4 and 5). Undefined for any other file. */
export function readElf(file: Buffer): Elf | undefined {
  if (file.length < 64 || file.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') return undefined;
  const number = (at: number): number => Number(file.readBigUInt64LE(at));
  const [start, size, count] = [number(32), file.readUInt16LE(54), file.readUInt16LE(56)];
  const headers = Array.from({ length: count }, (_, index) => {
    const at = start + index * size;
    return {
      type: file.readUInt32LE(at),
      offset: number(at + 8),
      address: number(at + 16),
      bytes: number(at + 32),
    };
  });
  const text = (at: number): string => file.toString('latin1', at, file.indexOf(0, at));
  const interpreter = headers.find(({ type }) => type === programHeader.interpreter);
  const dynamic = headers.find(({ type }) => type === programHeader.dynamic);
  const entries: { tag: number; value: number }[] = [];
  for (let at = dynamic?.offset ?? 0; dynamic !== undefined && at < dynamic.offset + dynamic.bytes; at += 16) {
    const entry = { tag: number(at), value: number(at + 8) };
    if (entry.tag === dynamicTag.end) break;
    entries.push(entry);
  }
  const strings = entries.find(({ tag }) => tag === dynamicTag.stringTable)?.value ?? 0;
  const segment = headers.find(
    ({ type, address, bytes }) => type === programHeader.load && strings >= address && strings < address + bytes,
  );
  const table = strings - (segment?.address ?? 0) + (segment?.offset ?? 0);
  return {
    ...(interpreter && { interpreter: text(interpreter.offset) }),
    needed: entries.filter(({ tag }) => tag === dynamicTag.needed).map(({ value }) => text(table + value)),
  };
}
