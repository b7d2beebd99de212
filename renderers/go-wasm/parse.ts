import { rawNumber } from '@mooring/renderer-contract';

const decoder = new TextDecoder();

/**
 * Parses JSON so that no number loses a digit: one that a double cannot hold exactly becomes a `JSON.rawJSON` value, which `JSON.stringify` writes
 * back as it was read.
 */
export function parseExact(bytes: Uint8Array): unknown {
  const text = decoder.decode(bytes);
  // Doubles hold every integer of 15 digits, and Go writes other numbers in their shortest form, as JavaScript does.
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_key: string, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' && context?.source !== undefined && String(value) !== context.source
      ? rawNumber(context.source)
      : value,
  );
}
