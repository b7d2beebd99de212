import { RenderError } from '@mooring/renderer-contract';

/** `spec.source.directory` of an Application. */
export interface DirectoryOptions {
  /** Whether folders below the path are read too. */
  readonly recurse: boolean;
  /** Only files that match are read; `''` for all. */
  readonly include: string;
  /** Files that match are not read, whatever `include` says; `''` for none. */
  readonly exclude: string;
  /** Whether files of any extension are read, not only `.yaml`, `.yml` and `.json`. */
  readonly disableExtensionFilter: boolean;
}

/** Checks what the user wrote. Throws `RenderError` (`invalid`) that names the field. */
export function parseOptions(options: Readonly<Record<string, unknown>>): DirectoryOptions {
  const known = ['recurse', 'include', 'exclude', 'disableExtensionFilter', 'jsonnet'];
  for (const field of Object.keys(options)) {
    if (known.includes(field)) continue;
    throw new RenderError('invalid', `directory.${field} is not known; remove it or use one of ${known.join(', ')}`);
  }
  return {
    recurse: booleanOf(options, 'recurse'),
    include: stringOf(options, 'include'),
    exclude: stringOf(options, 'exclude'),
    disableExtensionFilter: booleanOf(options, 'disableExtensionFilter'),
  };
}

function booleanOf(options: Readonly<Record<string, unknown>>, field: string): boolean {
  const value = options[field] ?? false;
  if (typeof value === 'boolean') return value;
  throw new RenderError('invalid', `directory.${field} must be true or false`);
}

function stringOf(options: Readonly<Record<string, unknown>>, field: string): string {
  const value = options[field] ?? '';
  if (typeof value === 'string') return value;
  throw new RenderError('invalid', `directory.${field} must be a string with a glob pattern`);
}
