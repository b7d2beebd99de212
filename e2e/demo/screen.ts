import type { Application } from '@mooring/crds';
import { tableOf } from './table.ts';

/** Where the demo tells what goes on: a live table on a terminal, plain lines elsewhere. */
export interface Screen {
  /** A line that stays, with the seconds since the start. */
  say(line: string): void;
  /** Shows the table until the answer is called; on a terminal it is drawn over itself. */
  live(apps: () => readonly Application[]): () => void;
}

const drawEveryMs = 250;
const printEveryMs = 5_000;

export function createScreen(output: NodeJS.WriteStream): Screen {
  const startedAt = performance.now();
  const elapsed = (): string => `${((performance.now() - startedAt) / 1_000).toFixed(1).padStart(6)} s`;
  let drawn = 0;
  const erase = (): void => {
    if (drawn > 0) output.write(`\x1b[${drawn}A\x1b[J`);
    drawn = 0;
  };
  return {
    say(line) {
      erase();
      output.write(`${elapsed()}  ${line}\n`);
    },
    live(apps) {
      if (!output.isTTY) {
        const print = (): void => {
          const all = apps();
          const count = (test: (app: Application) => boolean): number => all.filter(test).length;
          const synced = count(({ status }) => status?.sync?.status === 'Synced');
          const healthy = count(({ status }) => status?.health?.status === 'Healthy');
          output.write(`${elapsed()}  ${all.length} applications, ${synced} Synced, ${healthy} Healthy\n`);
        };
        const timer = setInterval(print, printEveryMs);
        return once(() => {
          clearInterval(timer);
          for (const line of tableOf(apps(), 160)) output.write(`${line}\n`);
        });
      }
      const draw = (): void => {
        erase();
        const lines = tableOf(apps(), output.columns).slice(0, Math.max(2, output.rows - 1));
        output.write(`${lines.join('\n')}\n`);
        drawn = lines.length;
      };
      const timer = setInterval(draw, drawEveryMs);
      return once(() => {
        clearInterval(timer);
        draw();
        drawn = 0;
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
