/** Adds one step to a JSON pointer (RFC 6901). */
export function pointerTo(pointer: string, step: string): string {
  return `${pointer}/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** The steps of a JSON pointer; `''` is the whole document. undefined where it is none. */
export function stepsOf(pointer: string): readonly string[] | undefined {
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) return undefined;
  return pointer
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Told of one field that differs. */
export type Report = (pointer: string, desired: unknown, live: unknown) => void;
