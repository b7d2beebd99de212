/** How Helm begins what it says of values that their schema forbids. */
const beginning = "values don't meet the specifications of the schema";

/** A line of the validator's: where in the values, and what is wrong there. */
const finding = /^(?<place>\s*- at '(?:[^'\\]|\\.)*'(?: \[[^\]]*\])?: )(?<what>.*)$/;

/** What is wrong in words that come from the schema, or are names, types and counts. */
const valueless = [
  /^(?:validation|allOf|'allOf'|anyOf|'anyOf'|not|'not'|if|'then'|'else') failed$/,
  /^'?oneOf'? failed, (?:none matched|subschemas [\d, ]+ matched)$/,
  /^got (?:null|boolean|number|integer|string|array|object), want [a-z, or]+$/,
  /^(?:minProperties|maxProperties|minItems|maxItems|minContains|maxContains|minLength|maxLength): got [\d,]+, want [\d,]+$/,
  /^value must be /,
  /^missing propert(?:y|ies) /,
  /^additional properties .* not allowed$/,
  /^properties .* required, if .* exists$/,
  /^invalid propertyName /,
  /^items at \d+ and \d+ are equal$/,
  /^no items match contains schema$/,
  /^false schema$/,
];

/** What is wrong in words with the value among them, and the same without it. */
const rewritten: readonly (readonly [said: RegExp, told: string])[] = [
  [/^'.*' does not match pattern ('.*')$/, 'it does not match the pattern $1'],
  [/^.* is not valid ([\w-]+)(?::.*)?$/, 'it is not valid as $1'],
  [/^((?:exclusive)?(?:minimum|maximum|Minimum|Maximum)|multipleOf): got .*, want (.*)$/, '$1: want $2'],
  [/^value is not (\w+) encoded.*$/, 'it is not $1 encoded'],
];

/** Helm's message about values that their schema forbids, without the values themselves: they may be passwords. Another message stays as it is. */
export function withoutValues(message: string): string {
  if (!message.includes(beginning)) return message;
  let isIn = false;
  return message
    .split('\n')
    .map((line) => {
      const { place, what = '' } = finding.exec(line)?.groups ?? {};
      isIn ||= place !== undefined;
      // In a long message a line may have been cut.
      if (place === undefined) return !isIn || /^[\w.-]*:?$/.test(line) ? line : '…';
      if (valueless.some((words) => words.test(what))) return line;
      const [said, told] = rewritten.find(([words]) => words.test(what)) ?? [];
      const isKnown = said !== undefined && told !== undefined;
      return place + (isKnown ? what.replace(said, told) : 'it is not what the schema asks for');
    })
    .join('\n');
}
