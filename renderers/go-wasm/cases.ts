import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A case of a test as data: a tree, what is asked of it, and the YAML expected. */
export interface Case<Asked> {
  readonly name: string;
  readonly asked: Asked;
  readonly files: Readonly<Record<string, string>>;
  readonly expected: string;
  /** Writes what came out as what is expected. */
  accept(yaml: string): void;
}

const heading = /^-- (.+) --\n/m;

/**
 * Reads the cases of a folder, one a file: `-- case --` and JSON, then `-- PATH --` and the content of each file of the tree, at last `-- expected --` and
 * YAML.
 */
export function readCases<Asked>(folder: URL): Case<Asked>[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.txt'))
    .sort()
    .map((name) => {
      const file = new URL(name, folder);
      const text = readFileSync(file, 'utf8');
      const parts = text.split(heading);
      const sections = new Map<string, string>();
      for (let i = 1; i < parts.length; i += 2) sections.set(parts[i] ?? '', parts[i + 1] ?? '');
      const asked = JSON.parse(sections.get('case') ?? '{}') as Asked;
      const expected = sections.get('expected') ?? '';
      sections.delete('case');
      sections.delete('expected');
      return {
        name: name.slice(0, -'.txt'.length),
        asked,
        files: Object.fromEntries(sections),
        expected,
        accept: (yaml) => writeFileSync(file, `${text.split('-- expected --\n')[0]}-- expected --\n${yaml}`),
      };
    });
}

/** Writes files into a new temporary folder, hands it to `use`, and removes it. */
export async function onDisk<T>(
  files: Readonly<Record<string, string | Uint8Array>>,
  use: (folder: string) => T | Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'case-'));
  try {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
