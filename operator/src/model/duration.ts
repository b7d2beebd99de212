const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

const whole = /^([+-]?)((?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;
const part = /(?<![\d.])(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;
/** Go's `time.Duration` counts nanoseconds in 64 bits: about 292 years. */
const longestMs = 2 ** 63 / 1e6;

/** The longest text that is read: numbers of any length would take quadratic time. */
const lengthMax = 100;

/** Milliseconds of a duration as Go's `time.ParseDuration` reads it: `120s`, `1h30m`, `1.5h`, `-5s`, `0`. undefined where it is none, or longer than 100 characters. */
export function parseDuration(text: string): number | undefined {
  if (text === '0' || text === '+0' || text === '-0') return 0;
  const match = text.length > lengthMax ? null : whole.exec(text);
  if (match === null) return undefined;
  let ms = 0;
  for (const [, amount = '', unit = ''] of (match[2] ?? '').matchAll(part)) ms += Number(amount) * (unitMs[unit] ?? 0);
  if (ms >= longestMs) return undefined;
  return match[1] === '-' ? 0 - ms : ms;
}
