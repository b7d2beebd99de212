import { createHash } from 'node:crypto';
import type { Component } from './component.ts';
import { spdxIds } from './license.ts';

/** What the bill is of. */
export interface BillSubject {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  /** `amd64` or `arm64`. */
  readonly arch: string;
  /** Name and version of the distribution that packages are from. */
  readonly system: { readonly name: string; readonly version: string };
  /** Time of the sources, as RFC 3339 has it. */
  readonly created: string;
}

/** A bill of materials as CycloneDX 1.6 in JSON (ECMA-424). The same parts give the same bytes. Throws where two parts have one name. */
export function billOf(subject: BillSubject, components: readonly Component[]): string {
  const sorted = components.toSorted((a, b) => (a.purl < b.purl ? -1 : 1));
  const twice = sorted.find(({ purl }, index) => purl === sorted[index + 1]?.purl);
  if (twice !== undefined) throw new Error(`two parts of the image are called ${twice.purl}`);
  const ref = `${subject.name}@${subject.version}`;
  const content = {
    metadata: {
      timestamp: subject.created,
      component: {
        'bom-ref': ref,
        type: 'container',
        name: subject.name,
        version: subject.version,
        licenses: licensesField([subject.license]),
        properties: [{ name: 'mooring:arch', value: subject.arch }],
      },
    },
    components: [
      { 'bom-ref': subject.system.name, type: 'operating-system', ...subject.system },
      ...sorted.map(({ type, group, name, version, purl, cpe, licenses }) => ({
        'bom-ref': purl,
        type,
        ...(group !== undefined && { group }),
        name,
        version,
        ...(licenses.length > 0 && { licenses: licensesField(licenses) }),
        ...(cpe !== undefined && { cpe }),
        purl,
      })),
    ],
    dependencies: [{ ref, dependsOn: [subject.system.name, ...sorted.map(({ purl }) => purl)] }],
  };
  const bill = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(content))}`,
    version: 1,
    ...content,
  };
  return `${JSON.stringify(bill, null, 2)}\n`;
}

function licensesField(licenses: readonly string[]): object[] {
  const [first = ''] = licenses;
  // An expression stands alone.
  if (licenses.length === 1 && / (?:AND|OR|WITH) /.test(first)) return [{ expression: first }];
  return licenses.map((license) => ({ license: spdxIds.has(license) ? { id: license } : { name: license } }));
}

/** A UUID of version 8 (RFC 9562), made of the content. */
function uuidOf(content: string): string {
  const hex = createHash('sha256').update(content).digest('hex');
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
