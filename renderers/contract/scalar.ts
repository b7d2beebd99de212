import type { Json } from './manifest.ts';

// The rules are those of go.yaml.in/yaml/v2 (YAML 1.1 without base 60, with `0o`), which every Kubernetes tool reads manifests with.

const words: ReadonlyMap<string, boolean | null> = new Map<string, boolean | null>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((word) => [word, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((word) => [word, false] as const),
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
]);

const notFinite: ReadonlyMap<string, number> = new Map([
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, Number.NaN] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word) => [word, Number.POSITIVE_INFINITY] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((word) => [word, Number.NEGATIVE_INFINITY] as const),
]);

const integer = /^[-+]?(?:0[bB][01]+|0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/;
const float = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const strayUnderscore = /(?<![0-9])_|_(?![0-9])/;
const signedBinary = /^0b[-+][01]+$/;
const date = /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:$|[Tt ])/;

const int64Min = -(2n ** 63n);
const uint64Max = 2n ** 64n - 1n;

const exactJson = JSON as unknown as { rawJSON(text: string): Json };

/** The digits of an integer as JSON: a number where a double prints them again, else `JSON.rawJSON`. */
export function integerOf(digits: string): Json {
  const value = Number(digits);
  return String(value) === digits ? value : exactJson.rawJSON(digits);
}

/** A number's text kept as it is. */
export function rawNumber(text: string): Json {
  return exactJson.rawJSON(text);
}

/** What a scalar stands for, and the YAML tag of it. `float` may be NaN or infinite, which JSON cannot say. */
export type Scalar =
  | { readonly tag: 'str'; readonly value: string }
  | { readonly tag: 'bool'; readonly value: boolean }
  | { readonly tag: 'null'; readonly value: null }
  | { readonly tag: 'int'; readonly value: Json; readonly digits: string }
  | { readonly tag: 'float'; readonly value: number };

/** What a plain scalar stands for. */
export function resolvePlain(text: string): Scalar {
  if (!mayResolve(text)) return { tag: 'str', value: text };
  const word = words.get(text);
  if (word !== undefined) return word === null ? { tag: 'null', value: null } : { tag: 'bool', value: word };
  const special = notFinite.get(text);
  if (special !== undefined) return { tag: 'float', value: special };
  const first = text.charCodeAt(0);
  if (first === 0x2e) {
    const found = strayUnderscore.test(text) ? undefined : floatOf(text.replaceAll('_', ''));
    return found ?? { tag: 'str', value: text };
  }
  if (first !== 0x2b && first !== 0x2d && !(first >= 0x30 && first <= 0x39)) return { tag: 'str', value: text };
  const plain = text.includes('_') ? text.replaceAll('_', '') : text;
  return intOf(plain) ?? floatOf(plain) ?? { tag: 'str', value: text };
}

/** Whether the first character is one that only words and numbers have; nearly all strings are ruled out by it. */
function mayResolve(text: string): boolean {
  if (text === '') return true;
  switch (text.charCodeAt(0)) {
    case 0x79: // y
    case 0x59: // Y
    case 0x6e: // n
    case 0x4e: // N
    case 0x74: // t
    case 0x54: // T
    case 0x66: // f
    case 0x46: // F
    case 0x6f: // o
    case 0x4f: // O
      return text.length <= 5;
    case 0x7e: // ~
      return text.length === 1;
    case 0x2e: // .
    case 0x2b: // +
    case 0x2d: // -
      return true;
    default:
      return text.charCodeAt(0) >= 0x30 && text.charCodeAt(0) <= 0x39;
  }
}

function intOf(text: string): Scalar | undefined {
  // 64 binary digits with sign and prefix are the longest integer, leading zeros apart: what is longer would take quadratic time.
  const plain = text.length > 70 ? text.replace(/^([-+]?0[bBxXoO]?)0+/, '$1') : text;
  if (plain.length > 70) return undefined;
  if (integer.test(plain)) {
    const negative = plain.startsWith('-');
    const unsigned = negative || plain.startsWith('+') ? plain.slice(1) : plain;
    if (unsigned.length < 16 && (unsigned === '0' || !unsigned.startsWith('0'))) {
      const small = Number(unsigned);
      const value = negative && small !== 0 ? -small : small;
      return { tag: 'int', value, digits: String(value) };
    }
    const octal = /^0[0-7]/.test(unsigned);
    const magnitude = BigInt(octal ? `0o${unsigned}` : unsigned.toLowerCase());
    const value = negative ? -magnitude : magnitude;
    const fits = plain.startsWith('+') ? value < 2n ** 63n : value >= int64Min && value <= uint64Max;
    return fits ? { tag: 'int', value: integerOf(value.toString()), digits: value.toString() } : undefined;
  }
  if (signedBinary.test(plain)) {
    const magnitude = BigInt(`0b${plain.slice(3)}`);
    const value = plain[2] === '-' ? -magnitude : magnitude;
    if (value < int64Min || value >= 2n ** 63n) return undefined;
    return { tag: 'int', value: integerOf(value.toString()), digits: value.toString() };
  }
  return undefined;
}

function floatOf(plain: string): Scalar | undefined {
  if (!float.test(plain)) return undefined;
  const value = Number(plain);
  return Number.isFinite(value) ? { tag: 'float', value } : undefined;
}

/** What a scalar with an explicit tag stands for (`tag` is its full name); undefined where the text is none of that tag. */
export function resolveTagged(tag: string, text: string): Scalar | undefined {
  const prefix = 'tag:yaml.org,2002:';
  const name = tag.startsWith(prefix) ? tag.slice(prefix.length) : '';
  if (name === 'binary') {
    const bytes = base64Of(text);
    return bytes === undefined ? undefined : { tag: 'str', value: bytes };
  }
  if (name === 'timestamp') return date.test(text) ? { tag: 'str', value: text } : undefined;
  if (name !== 'bool' && name !== 'int' && name !== 'float' && name !== 'null') return { tag: 'str', value: text };
  const found = resolvePlain(text);
  if (name === 'float' && found.tag === 'int') {
    return BigInt(found.digits) < 2n ** 63n ? { tag: 'float', value: Number(found.digits) } : undefined;
  }
  return found.tag === name ? found : undefined;
}

function base64Of(text: string): string | undefined {
  const plain = text.replace(/[\r\n]/g, '');
  if (plain.length % 4 !== 0 || /[^A-Za-z0-9+/]/.test(plain.replace(/={1,2}$/, ''))) return undefined;
  return Buffer.from(plain, 'base64').toString('utf8');
}

/** The JSON key that a scalar key becomes; undefined for one that JSON cannot have (null, an integer over 63 bits). */
export function keyOf(scalar: Scalar): string | undefined {
  switch (scalar.tag) {
    case 'str':
      return scalar.value;
    case 'bool':
      return scalar.value ? 'true' : 'false';
    case 'int':
      return scalar.digits.length < 19 || BigInt(scalar.digits) < 2n ** 63n ? scalar.digits : undefined;
    case 'float':
      return floatKey(scalar.value);
    case 'null':
      return undefined;
  }
}

/** A float as a key: the shortest decimal that is the same 32-bit float, with an exponent from 1e+06 on or below 1e-04 (`%g`). */
function floatKey(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  const single = Math.fround(value);
  if (single === Number.POSITIVE_INFINITY) return '.inf';
  if (single === Number.NEGATIVE_INFINITY) return '-.inf';
  if (single === 0) return Object.is(single, -0) ? '-0' : '0';
  let shortest = single.toExponential(8);
  for (let digits = 0; digits < 9; digits++) {
    const candidate = single.toExponential(digits);
    if (Math.fround(Number(candidate)) === single) {
      shortest = candidate;
      break;
    }
  }
  const [mantissa = '', exponentText = '0'] = shortest.split('e');
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= 6) {
    const size = String(Math.abs(exponent)).padStart(2, '0');
    return `${mantissa}e${exponent < 0 ? '-' : '+'}${size}`;
  }
  const digits = mantissa.replace(/[-.]/g, '');
  const sign = value < 0 ? '-' : '';
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return sign + digits.padEnd(exponent + 1, '0');
  return `${sign}${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}
