import { styleText } from 'node:util';
import type { Application } from '@mooring/crds';
import { type Paint, tableOf } from './table.ts';

/** Where the demo tells what goes on: a live table on a terminal, plain lines elsewhere. */
export interface Screen {
  /** A line that stays, with the seconds since the start. */
  say(line: string): void;
  /** A line that stays, as it is: to be copied. */
  print(line: string): void;
  /** Shows the table until the answer is called; on a terminal it is drawn over itself. */
  live(apps: () => readonly Application[]): () => void;
}

const drawEveryMs = 250;
const printEveryMs = 5_000;
const narrowest = 20;
/** Where no terminal says how wide it is. */
const plainWidth = 160;

const colours = new Map<string, Parameters<typeof styleText>[0]>([
  ['Synced', 'green'],
  ['Healthy', 'green'],
  ['OutOfSync', 'yellow'],
  ['Progressing', 'yellow'],
  ['Missing', 'yellow'],
  ['Degraded', 'red'],
]);

export function createScreen(output: NodeJS.WriteStream): Screen {
  const startedAt = performance.now();
  const elapsed = (): string => `${((performance.now() - startedAt) / 1_000).toFixed(1).padStart(6)} s`;
  let drawn = 0;
  const erase = (): void => {
    if (drawn > 0) output.write(`\x1b[${drawn}A\x1b[J`);
    drawn = 0;
  };
  // No colour where it is no terminal, or NO_COLOR is set.
  const paint: Paint = (text) => {
    const colour = colours.get(text);
    return colour === undefined ? text : styleText(colour, text, { stream: output });
  };
  const count = (all: readonly Application[]): string => {
    const having = (test: (app: Application) => boolean): number => all.filter(test).length;
    const synced = having(({ status }) => status?.sync?.status === 'Synced');
    const healthy = having(({ status }) => status?.health?.status === 'Healthy');
    return `${elapsed()}  ${all.length} applications, ${synced} Synced, ${healthy} Healthy`;
  };
  const print = (line: string): void => {
    erase();
    output.write(`${line}\n`);
  };
  return {
    say: (line) => print(`${elapsed()}  ${line}`),
    print,
    live(apps) {
      if (!output.isTTY) {
        const timer = setInterval(() => print(count(apps())), printEveryMs);
        return once(() => {
          clearInterval(timer);
          for (const line of tableOf(apps(), plainWidth)) print(line);
        });
      }
      // A terminal of no size, as some CI systems have it, is taken for a plain one.
      const width = (): number => Math.max(narrowest, output.columns || plainWidth);
      const draw = (): void => {
        const all = apps();
        // One row is for the count below, one for the cursor.
        const lines = [
          ...tableOf(all, width(), Math.max(4, (output.rows || 24) - 2), paint),
          count(all).slice(0, width()),
        ];
        erase();
        output.write(`${lines.join('\n')}\n`);
        drawn = lines.length;
      };
      const timer = setInterval(draw, drawEveryMs);
      return once(() => {
        clearInterval(timer);
        for (const line of tableOf(apps(), width(), undefined, paint)) print(line);
      });
    },
  };
}

function once(run: () => void): () => void {
  let ran = false;
  return () => {
    if (!ran) run();
    ran = true;
  };
}
