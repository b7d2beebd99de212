import { pino } from 'pino';
import type { Log, LogFields } from '../../world/telemetry.ts';

/** Lowest level that is written. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** How lines are written: a JSON object each, or as people read them. */
export type LogFormat = 'json' | 'text';

/** A log on standard output, or wherever `write` puts its lines. JSON lines have `level, time, msg` and the fields given. */
export function createLog(level: LogLevel, format: LogFormat = 'json', write?: (line: string) => void): Log {
  if (format === 'text') return textLog(level, write ?? ((line) => void process.stdout.write(line)));
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return write === undefined ? pino(options) : pino(options, { write });
}

const levels = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** `time=… level=… msg=… name=value`, the fields sorted: what Argo CD writes with `--logformat text`. */
function textLog(lowest: LogLevel, write: (line: string) => void): Log {
  const writer = (level: LogLevel, name: string = level) => {
    if (levels.indexOf(level) < levels.indexOf(lowest)) return () => {};
    return (fields: LogFields, message: string): void => {
      const pairs = Object.entries(fields)
        .filter(([, value]) => value !== undefined)
        .sort(([a], [b]) => (a < b ? -1 : 1));
      const all = [['time', new Date().toISOString()], ['level', name], ['msg', message], ...pairs] as const;
      write(`${all.map(([key, value]) => `${key}=${quoted(String(value))}`).join(' ')}\n`);
    };
  };
  return { debug: writer('debug'), info: writer('info'), warn: writer('warn', 'warning'), error: writer('error') };
}

/** A value is quoted where a reader could take it for more than one. */
function quoted(value: string): string {
  return /^[\w.\-/@^+]+$/.test(value) ? value : JSON.stringify(value);
}
