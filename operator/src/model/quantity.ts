import { numberText } from './json.ts';

const suffixes: Readonly<Record<string, readonly [base: bigint, exponent: number]>> = {
  n: [10n, -9],
  u: [10n, -6],
  m: [10n, -3],
  '': [10n, 0],
  k: [10n, 3],
  M: [10n, 6],
  G: [10n, 9],
  T: [10n, 12],
  P: [10n, 15],
  E: [10n, 18],
  Ki: [2n, 10],
  Mi: [2n, 20],
  Gi: [2n, 30],
  Ti: [2n, 40],
  Pi: [2n, 50],
  Ei: [2n, 60],
};

/** A number as a fraction, exact. */
interface Fraction {
  readonly over: bigint;
  readonly under: bigint;
}

/** Whether two quantities of Kubernetes (`1000m`, `1`, `1Ki`, `1e3`; resource.Quantity of apimachinery) are the same amount. False where either is none. */
export function sameQuantity(a: unknown, b: unknown): boolean {
  const x = parseQuantity(a);
  const y = parseQuantity(b);
  return x !== undefined && y !== undefined && x.over * y.under === y.over * x.under;
}

/** The amount of a quantity of bytes that is whole and no more than 2^53; undefined for any other. */
export function wholeBytes(text: string): number | undefined {
  const parsed = parseQuantity(text);
  if (parsed === undefined || parsed.over < 0n || parsed.over % parsed.under !== 0n) return undefined;
  const bytes = Number(parsed.over / parsed.under);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

function parseQuantity(value: unknown): Fraction | undefined {
  const text = typeof value === 'string' ? value : numberText(value);
  const parts = /^([+-]?)(\d{0,40})(?:\.(\d{0,40}))?(?:[eE]([+-]?\d{1,2})|([numkMGTPE]|[KMGTPE]i)?)$/.exec(text ?? '');
  if (parts === null) return undefined;
  const [, sign, whole = '', decimals = '', exponent, suffix = ''] = parts;
  if (whole === '' && decimals === '') return undefined;
  const [base, power] = exponent === undefined ? (suffixes[suffix] ?? [10n, 0]) : ([10n, Number(exponent)] as const);
  const digits = BigInt(`${whole}${decimals}`) * (sign === '-' ? -1n : 1n);
  const under = 10n ** BigInt(decimals.length);
  const scale = base ** BigInt(Math.abs(power));
  return power < 0 ? { over: digits, under: under * scale } : { over: digits * scale, under };
}
