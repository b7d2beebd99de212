import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';

/** What a run of the program left. */
export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `mooring` as a user does, in a process of its own. */
export async function mooring(
  args: readonly string[],
  options: { readonly cwd?: string; readonly input?: string; readonly nodeArgs?: readonly string[] } = {},
): Promise<Run> {
  const launcher = join(import.meta.dirname, '..', 'bin', 'mooring.js');
  const child = spawn(execPath, [...(options.nodeArgs ?? []), launcher, ...args], {
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(options.input ?? '');
  const code = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}

/** A copy of this package's test data in a folder that is gone after the test. */
export function copyTestdata(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-cli-'));
  t.after(() => rmSync(folder, { recursive: true }));
  cpSync(join(import.meta.dirname, '..', 'testdata'), folder, { recursive: true });
  return folder;
}
