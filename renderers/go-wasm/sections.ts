/** Prefix of the names under which `exposeState` exports globals. */
export const globalPrefix = 'mooring_global_';

const pageBytes = 65_536;
const sectionId = { custom: 0, memory: 5, global: 6, exports: 7, data: 11 } as const;

interface Section {
  readonly id: number;
  readonly body: Uint8Array;
  /** Offset of the body in the module. */
  readonly at: number;
}

/**
 * Rewrites a WebAssembly module so that all of its state can be saved and set back: every mutable global is exported as `mooring_global_N`.
 * The memory gets a maximum, written with padding so that `limitMemory` can change it in place. Custom sections (names, debugging) are dropped.
 */
export function exposeState(module: Uint8Array): Uint8Array<ArrayBuffer> {
  const sections = readSections(module);
  const parts: Uint8Array[] = [module.subarray(0, 8)];
  const mutable = mutableGlobals(
    sections.find((section) => section.id === sectionId.global)?.body ?? new Uint8Array([0]),
  );
  for (const section of sections) {
    if (section.id === sectionId.custom) continue;
    let body = section.body;
    if (section.id === sectionId.exports) body = withGlobals(body, mutable);
    if (section.id === sectionId.memory) body = withMaximum(body);
    parts.push(Uint8Array.of(section.id), leb(body.length), body);
  }
  return new Uint8Array(Buffer.concat(parts));
}

/** The module without the content of its memory, which a saved state brings along. */
export function withoutData(module: Uint8Array): Uint8Array<ArrayBuffer> {
  const kept = readSections(module).filter((section) => section.id !== sectionId.data);
  const parts = kept.flatMap(({ id, body }) => [Uint8Array.of(id), leb(body.length), body]);
  return new Uint8Array(Buffer.concat([module.subarray(0, 8), ...parts]));
}

/** Sets the most memory, in bytes, that an instance of a module made by `exposeState` can have. Changes `module`. */
export function limitMemory(module: Uint8Array, bytes: number): void {
  const memory = readSections(module).find((section) => section.id === sectionId.memory);
  if (memory === undefined || memory.body[1] !== 1)
    throw new Error('the module has no memory with a maximum: build it again');
  const maximum = paddedLeb(Math.min(65_536, Math.floor(bytes / pageBytes)));
  module.set(maximum, memory.at + memory.body.length - maximum.length);
}

function readSections(module: Uint8Array): Section[] {
  const sections: Section[] = [];
  for (let at = 8; at < module.length; ) {
    const id = module[at] as number;
    const [size, body] = readLeb(module, at + 1);
    sections.push({ id, body: module.subarray(body, body + size), at: body });
    at = body + size;
  }
  return sections;
}

/** Indices of the mutable globals; Go imports none, so the section's order is the index. */
function mutableGlobals(body: Uint8Array): number[] {
  let [count, at] = readLeb(body, 0);
  const indices: number[] = [];
  for (let index = 0; index < count; index += 1) {
    if (body[at + 1] === 1) indices.push(index);
    const constant = body[at + 2];
    at += 3;
    if (constant === 0x43) at += 4;
    else if (constant === 0x44) at += 8;
    else if (constant === 0x41 || constant === 0x42) at = readLeb(body, at)[1];
    else throw new Error(`global ${index} starts with a value of unknown kind ${constant}`);
    at += 1;
  }
  return indices;
}

function withGlobals(body: Uint8Array, indices: readonly number[]): Uint8Array {
  const [count, at] = readLeb(body, 0);
  const added = indices.flatMap((index) => {
    const name = new TextEncoder().encode(`${globalPrefix}${index}`);
    return [leb(name.length), name, Uint8Array.of(3), leb(index)];
  });
  return Buffer.concat([leb(count + indices.length), body.subarray(at), ...added]);
}

function withMaximum(body: Uint8Array): Uint8Array {
  const minimum = readLeb(body, 2)[0];
  return Buffer.concat([Uint8Array.of(1, 1), leb(minimum), paddedLeb(65_536)]);
}

function readLeb(bytes: Uint8Array, from: number): [value: number, next: number] {
  let value = 0;
  for (let at = from, scale = 1; ; at += 1, scale *= 128) {
    const byte = bytes[at] as number;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return [value, at + 1];
  }
}

function leb(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Uint8Array.from([...bytes, rest]);
    bytes.push((rest % 128) | 0x80);
  }
}

function paddedLeb(value: number): Uint8Array {
  return Uint8Array.from({ length: 5 }, (_, i) => (Math.floor(value / 128 ** i) % 128) | (i < 4 ? 0x80 : 0));
}
