/** A JSON merge patch (RFC 7396) that turns `from` into `to`; undefined where they are equal. Lists are replaced whole; `undefined` counts as absent. */
export function mergePatch(from: unknown, to: unknown): Record<string, unknown> | undefined {
  const before = isObject(from) ? from : {};
  const after = isObject(to) ? to : {};
  const patch: Record<string, unknown> = {};
  for (const field of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const old = before[field];
    const wanted = after[field];
    if (wanted === undefined) {
      if (old !== undefined) patch[field] = null;
    } else if (isObject(old) && isObject(wanted)) {
      const inner = mergePatch(old, wanted);
      if (inner !== undefined) patch[field] = inner;
    } else if (!equalJson(old, wanted)) {
      patch[field] = wanted;
    }
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

/** Whether two JSON values say the same; members that are undefined count as absent, and the order of members does not matter. */
export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => equalJson(item, b[index]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  for (const key of keys) if (!equalJson(a[key], b[key])) return false;
  return true;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
