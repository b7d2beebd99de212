const digits = /^(0|[1-9][0-9]*)$/;

/**
 * Whether resourceVersion `a` of a kind is older than `b`. They compare as numbers (KEP-5504, stable since Kubernetes 1.35); a server that
 * answers others only lets equal be told from different, and then nothing counts as older.
 */
export function isOlder(a: string, b: string): boolean {
  if (!digits.test(a) || !digits.test(b)) return false;
  return a.length === b.length ? a < b : a.length < b.length;
}
