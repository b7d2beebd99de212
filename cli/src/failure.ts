/** What a command's exit code says. */
export const exitCode: {
  /** Done. */
  readonly done: 0;
  /** Done, and there is something to see to: differences, or files that could not be read. */
  readonly found: 1;
  /** Not done: wrong arguments, or an error that is printed. */
  readonly failed: 2;
} = { done: 0, found: 1, failed: 2 };

/** A command that cannot be carried out with this input: the message names the file, line or object and says what to do. */
export class Failure extends Error {
  override readonly name = 'Failure';

  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
  }
}

/** The code of a failed system call, such as `ENOENT`; `''` for anything else that was thrown. */
export function systemCode(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  return typeof code === 'string' ? code : '';
}

/** A failed system call on a file, for people. */
export function fileFailure(path: string, thrown: unknown): Failure {
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'there is no such file or folder; check the path',
    EACCES: 'permission denied; make it readable',
    EPERM: 'permission denied; make it readable',
    ENOTDIR: 'a part of the path is no folder; check the path',
    EISDIR: 'it is a folder, and a file is needed',
    ELOOP: 'too many symbolic links',
  };
  const code = systemCode(thrown);
  return new Failure(
    `${path}: ${reasons[code] ?? (thrown instanceof Error ? thrown.message : String(thrown))}`,
    thrown,
  );
}
