import { type ScalarTag, stringify, type Tags } from 'yaml';

// Numbers that a double cannot hold come as raw JSON; their digits are what Kubernetes reads.
const rawNumber: ScalarTag = {
  tag: 'tag:yaml.org,2002:float',
  default: true,
  identify: (value) => typeof value === 'object' && value !== null && JSON.isRawJSON(value),
  resolve: Number,
  stringify: ({ value }) => (value as { readonly rawJSON: string }).rawJSON,
};

/**
 * One YAML document that YAML 1.1 (which Kubernetes reads) and YAML 1.2 both read as this value, so strings such as `yes` and `0o17` are quoted. Ends with a
 * line feed. `sorted` puts map keys in order.
 */
export function yamlOf(value: unknown, options: { readonly sorted?: boolean } = {}): string {
  return stringify(value, {
    schema: 'yaml-1.1',
    version: '1.1',
    compat: 'core',
    customTags: (tags: Tags) => [rawNumber, ...tags],
    indentSeq: false,
    lineWidth: 0,
    aliasDuplicateObjects: false,
    sortMapEntries: options.sorted === true,
  });
}

/** Writes to standard output, and waits where its reader is slower. */
export async function print(text: string): Promise<void> {
  if (process.stdout.write(text)) return;
  await new Promise<void>((resolve) => process.stdout.once('drain', resolve));
}

/** Writes one line for a person to standard error. */
export function tell(sentence: string): void {
  process.stderr.write(`mooring: ${sentence}\n`);
}
