import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { buildYamlReader, type Progress } from './build.ts';

/** What Go's reader of Kubernetes makes of a text: its documents as JSON, empty ones left out, or why it refuses them. Integers keep their digits. */
export type GoReading = { readonly documents: readonly unknown[] } | { readonly refused: string };

/** Reads texts as Kubernetes does, with its own code, in a program that is built where it is missing. */
export async function readWithGo(texts: readonly string[], onProgress: Progress): Promise<readonly GoReading[]> {
  const program = await buildYamlReader(onProgress);
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(
    Buffer.concat(
      texts.flatMap((one) => {
        const bytes = Buffer.from(one);
        const length = Buffer.alloc(4);
        length.writeUInt32LE(bytes.length);
        return [length, bytes];
      }),
    ),
  );
  const lines = (await text(child.stdout)).trimEnd().split('\n');
  if (lines.length !== texts.length) throw new Error(`the reader answered ${lines.length} of ${texts.length} texts`);
  return lines.map((line) => {
    const answer = JSON.parse(line, keepDigits) as unknown;
    return Array.isArray(answer) ? { documents: answer } : { refused: (answer as { error: string }).error };
  });
}

function keepDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const digits = context?.source ?? '';
  return /^-?[0-9]+$/.test(digits) ? JSON.rawJSON(digits) : value;
}
