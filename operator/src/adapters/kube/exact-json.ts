const longNumber = /[:,[\s]-?\d[\d.eE+-]{15,}\s*[,\]}\n]/;

/** Parses JSON; a number that a double does not hold exactly becomes a `JSON.rawJSON` value, so that its digits survive `JSON.stringify`. */
export function parseExact(text: string): unknown {
  // The reviver costs five times a plain parse, and such numbers are rare.
  if (!longNumber.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) => {
    const source = context?.source;
    if (typeof value !== 'number' || source === undefined || isExact(value, source)) return value;
    return JSON.rawJSON(source);
  });
}

function isExact(value: number, source: string): boolean {
  if (String(value) === source) return true;
  if (Number.isSafeInteger(value)) return true;
  return (
    Number.isFinite(value) &&
    source
      .replace(/[eE][\s\S]*$/, '')
      .replace(/[^0-9]/g, '')
      .replace(/^0+/, '').length <= 15
  );
}
