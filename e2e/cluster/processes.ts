import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** A process that can't be mistaken for a later one with the same pid: `started` is when it started, as the system tells it. */
export type ProcessId = { readonly pid: number; readonly started: string };

/** The identity of a running process. Throws where there is none with that pid. */
export function processId(pid: number): ProcessId {
  const started = startTime(pid);
  if (started === undefined) throw new Error(`no process has the pid ${pid}`);
  return { pid, started };
}

/** Whether that very process still runs. A zombie does not. */
export function isAlive(id: ProcessId): boolean {
  return startTime(id.pid) === id.started;
}

/** Kills that very process, never another with the same pid. */
export function kill(id: ProcessId): void {
  if (!isAlive(id)) return;
  try {
    process.kill(id.pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** All processes that were started with `NAME=VALUE` in their environment. Linux only; empty elsewhere. */
export function processesWithEnv(name: string, value: string): ProcessId[] {
  if (process.platform !== 'linux') return [];
  const wanted = `${name}=${value}`;
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => readProc(`/proc/${pid}/environ`)?.split('\0').includes(wanted) === true)
    .flatMap((pid) => {
      const started = startTime(pid);
      return started === undefined ? [] : [{ pid, started }];
    });
}

function startTime(pid: number): string | undefined {
  if (process.platform !== 'linux') {
    try {
      return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
    } catch {
      // ps exits with 1 where there is no such process.
      return undefined;
    }
  }
  const stat = readProc(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The second field is the program's name in brackets and may itself hold spaces and brackets; the state is the third
  // field and the start time, in clock ticks since boot, the twenty-second: see proc(5).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : `${bootId()}:${fields[19]}`;
}

let boot: string | undefined;
function bootId(): string {
  boot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return boot;
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // The process ended meanwhile, or belongs to somebody else.
    return undefined;
  }
}
