/** The moment `ms` (milliseconds since 1970) as Kubernetes writes times: RFC 3339 in UTC, whole seconds. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
