import { readFile } from 'node:fs/promises';
import type { Files } from './files.ts';
import { readValues, type ValueRow } from './values.ts';

const begin = '<!-- What follows is written by `make charts`, of the comments in values.yaml. -->\n';
const sections = ['crds', 'rbac', 'global', 'configs', 'controller', 'server', 'dashboards'];

/** The chart's README.md, with its tables of values as values.yaml has them. */
export async function readmeFile(): Promise<Files> {
  const read = (name: string): Promise<string> => readFile(new URL(name, import.meta.url), 'utf8');
  const [readme = ''] = (await read('mooring/README.md')).split(begin);
  const rows = readValues(await read('mooring/values.yaml'));
  const tables = ['', ...sections].flatMap((section) => {
    const own = rows.filter(({ path }) => (sections.includes(path[0] ?? '') ? path[0] : '') === section);
    return [`### ${section === '' ? 'The chart as a whole' : `\`${section}\``}`, tableOf(own)];
  });
  return { 'mooring/README.md': `${readme}${begin}\n${tables.join('\n\n')}\n` };
}

function tableOf(rows: readonly ValueRow[]): string {
  const lines = rows.map(({ path, type, default: shown, description }) => {
    const cells = [`\`${path.join('.')}\``, type, 'json' in shown ? `\`${shown.json}\`` : shown.words, description];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return ['| Key | Type | Default | Description |', '| --- | --- | --- | --- |', ...lines].join('\n');
}
