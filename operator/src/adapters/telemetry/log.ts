import { pino } from 'pino';
import type { Log } from '../../world/telemetry.ts';

/** Lowest level that is written. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** JSON lines on standard output: `level, time, msg` and the fields given. */
export function createLog(level: LogLevel): Log {
  const logger = pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
  return logger;
}
