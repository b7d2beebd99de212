/** What a guide asks its reader to do, in order. */
export type Step =
  /** Commands for a shell. */
  | { readonly kind: 'run'; readonly line: number; readonly text: string }
  /** Commands that cannot be run here, and why. */
  | { readonly kind: 'leave'; readonly line: number; readonly text: string; readonly why: string }
  /** A file to write, by its path. */
  | { readonly kind: 'write'; readonly line: number; readonly text: string; readonly path: string };

/**
 * The steps of a page: each block of code that says `sh` is commands, unless the words behind it say `not run here: WHY`; each that says `file=PATH` is a file.
 * Other blocks show something. Throws where a block has no end.
 */
export function stepsOf(page: string): readonly Step[] {
  const steps: Step[] = [];
  const lines = page.split('\n');
  for (let start = 0; start < lines.length; start++) {
    const opened = /^```(\w*) ?(.*)$/.exec(lines[start] ?? '');
    if (opened === null) continue;
    const [, language = '', info = ''] = opened;
    const end = lines.indexOf('```', start + 1);
    if (end < 0) throw new Error(`the block of code in line ${start + 1} has no end`);
    const text = `${lines.slice(start + 1, end).join('\n')}\n`;
    const line = start + 2;
    const path = /^file=(\S+)$/.exec(info)?.[1];
    const why = /^not run here: (.+)$/.exec(info)?.[1];
    if (path !== undefined) steps.push({ kind: 'write', line, text, path });
    else if (language === 'sh' && why !== undefined) steps.push({ kind: 'leave', line, text, why });
    else if (language === 'sh') steps.push({ kind: 'run', line, text });
    start = end;
  }
  return steps;
}
