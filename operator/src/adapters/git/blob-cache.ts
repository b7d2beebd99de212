/** Contents by id, the least recently used dropped beyond a number of bytes. */
export interface BlobCache {
  get(key: string): Uint8Array | undefined;
  set(key: string, bytes: Uint8Array): void;
  size(): { readonly bytes: number; readonly entries: number };
  clear(): void;
}

/** A content larger than a quarter of `bytesMax` is not kept: it would drive out everything else. */
export function createBlobCache(bytesMax: number): BlobCache {
  const entries = new Map<string, Uint8Array>();
  let bytes = 0;
  return {
    get(key) {
      const found = entries.get(key);
      if (found === undefined) return undefined;
      entries.delete(key);
      entries.set(key, found);
      return found;
    },
    set(key, value) {
      if (value.length > bytesMax / 4) return;
      const before = entries.get(key);
      if (before !== undefined) bytes -= before.length;
      entries.delete(key);
      entries.set(key, value);
      bytes += value.length;
      for (const [oldest, { length }] of entries) {
        if (bytes <= bytesMax) break;
        entries.delete(oldest);
        bytes -= length;
      }
    },
    size: () => ({ bytes, entries: entries.size }),
    clear() {
      entries.clear();
      bytes = 0;
    },
  };
}
