/** Writes to standard output, and waits where its reader is slower. */
export async function print(text: string): Promise<void> {
  if (process.stdout.write(text)) return;
  await new Promise<void>((resolve) => process.stdout.once('drain', resolve));
}

/** Writes one line for a person to standard error. */
export function tell(sentence: string): void {
  process.stderr.write(`mooring: ${sentence}\n`);
}
