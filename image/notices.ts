import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineModules } from '@mooring/go-wasm/build';
import type { Component } from './component.ts';
import { licensesIn } from './license.ts';

/** An npm package, by its folder. Throws where it does not say under which licence it is. */
export async function npmComponent(folder: string): Promise<Component> {
  const described = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    readonly name: string;
    readonly version: string;
    readonly license?: string;
  };
  const { version, license } = described;
  if (typeof license !== 'string') throw new Error(`the npm package ${described.name} ${version} names no licence`);
  const [name = '', group] = described.name.split('/').reverse();
  const files = (await readdir(folder)).filter((file) => /^(?:LICEN[CS]E|COPYING|NOTICE)/i.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  return {
    type: 'library',
    ...(group !== undefined && { group }),
    name,
    version,
    purl: `pkg:npm/${group === undefined ? '' : `${encodeURIComponent(group)}/`}${name}@${version}`,
    licenses: [license.replace(/^\((.*)\)$/, '$1')],
    licenseText: texts.join('\n'),
  };
}

/** Go's own library and the modules of engines, each version once. */
export function goComponents(engines: readonly EngineModules[]): Component[] {
  const modules = new Map(engines.flatMap(({ modules }) => modules.map((one) => [`${one.path}@${one.version}`, one])));
  const found = [...modules.values()].map(({ path, version, license }) => goComponent(path, version, license));
  const versions = new Set(engines.map(({ go }) => go));
  // Both are the Go authors' own, under one licence.
  const { license = '' } = [...modules.values()].find(({ path }) => path.startsWith('golang.org/x/')) ?? {};
  return [...found, ...[...versions].map((version) => goComponent('stdlib', version, license))];
}

function goComponent(path: string, version: string, license: string): Component {
  return {
    type: 'library',
    name: path,
    version,
    purl: `pkg:golang/${path.toLowerCase()}@${encodeURIComponent(version)}`,
    licenses: licensesIn(license),
    licenseText: license,
  };
}

/** The file that goes along with what others wrote: each part with the texts of its licence. */
export function noticesOf(components: readonly Component[]): string {
  const parts = components
    .filter(({ licenseText }) => licenseText !== undefined)
    .toSorted((a, b) => (a.purl < b.purl ? -1 : 1))
    .map(({ group, name, version, licenses, licenseText = '' }) => {
      const title = `${group === undefined ? '' : `${group}/`}${name} ${version}`;
      return `${title}\n${licenses.join(', ')}\n\n${licenseText.trim()}\n`;
    });
  const head = `Mooring's program and engines contain the following works of others. The licence of Node is in /usr/share/doc/nodejs,
those of Debian's packages are in /usr/share/doc and /usr/share/common-licenses.
`;
  return [head, ...parts].join(`\n${'-'.repeat(80)}\n\n`);
}
