/** What lies at a path of an image. Modes are as chmod takes them. */
export type FileEntry =
  | { readonly content: Buffer; readonly mode?: number }
  | { readonly linkTo: string }
  | {
      readonly folder: true;
      readonly mode?: number;
      /** Id of the user and the group that own it; root where absent. */
      readonly owner?: number;
    };

/** Absolute paths to what lies there. Folders above come by themselves. */
export type Files = Readonly<Record<string, FileEntry>>;

const blockBytes = 512;
const pathBytes = 100;
const typeFlags = { file: '0', symlink: '2', folder: '5' } as const;

/**
 * A ustar archive (POSIX.1-1988, the format that every container tool reads) in pieces to be written one after the other. Paths are sorted, times are 0, and root owns
 * what nobody else does: the same files give the same bytes. Throws where a path, or the target of a link, is longer than 100 bytes.
 */
export function tarOf(files: Files): Buffer[] {
  const entries = new Map<string, FileEntry>();
  for (const [path, entry] of Object.entries(files)) {
    const parts = path.slice(1).split('/');
    for (let depth = 1; depth < parts.length; depth += 1) {
      const above = `/${parts.slice(0, depth).join('/')}`;
      if (!entries.has(above)) entries.set(above, { folder: true });
    }
    entries.set(path, entry);
  }
  const sorted = [...entries].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return [...sorted.flatMap(([path, entry]) => parts(path.slice(1), entry)), Buffer.alloc(2 * blockBytes)];
}

function parts(path: string, entry: FileEntry): Buffer[] {
  if ('linkTo' in entry) return [header(path, 'symlink', { linkTo: entry.linkTo, mode: 0o777 })];
  if ('folder' in entry) {
    return [header(`${path}/`, 'folder', { mode: entry.mode ?? 0o755, owner: entry.owner ?? 0 })];
  }
  const { content, mode = 0o644 } = entry;
  const padding = Buffer.alloc((blockBytes - (content.length % blockBytes)) % blockBytes);
  return [header(path, 'file', { size: content.length, mode }), content, padding];
}

function header(
  path: string,
  type: keyof typeof typeFlags,
  { mode, owner = 0, size = 0, linkTo = '' }: { mode: number; owner?: number; size?: number; linkTo?: string },
): Buffer {
  for (const text of [path, linkTo]) {
    if (Buffer.byteLength(text) > pathBytes) throw new Error(`path in an image is longer than 100 bytes: ${text}`);
  }
  const bytes = Buffer.alloc(blockBytes);
  const octal = (value: number, offset: number, length: number): void => {
    bytes.write(`${value.toString(8).padStart(length - 1, '0')}\0`, offset, 'latin1');
  };
  bytes.write(path, 0, 'utf8');
  octal(mode, 100, 8);
  octal(owner, 108, 8);
  octal(owner, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  // The checksum is taken with blanks in its own place.
  bytes.write('        ', 148, 'latin1');
  bytes.write(typeFlags[type], 156, 'latin1');
  bytes.write(linkTo, 157, 'utf8');
  bytes.write('ustar\x0000', 257, 'latin1');
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return bytes;
}
