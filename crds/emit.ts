import { writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { applicationCrd, appProjectCrd, type CustomResourceDefinition } from './crd.ts';

/** The files of this folder that users install, and what each holds. */
export const files: Readonly<Record<string, CustomResourceDefinition>> = {
  'application.yaml': applicationCrd,
  'appproject.yaml': appProjectCrd,
};

/** A CRD as YAML. Keys are sorted, so that a change of the schema is a change of the same few lines. */
export function emit(crd: CustomResourceDefinition): string {
  // Not every reader of YAML follows aliases, and those that do bound them.
  const yaml = stringify(crd, { aliasDuplicateObjects: false, lineWidth: 0, sortMapEntries: true });
  return `# Written by \`node crds/emit.ts\`. Change the schemas in crds/*.ts, not this file.\n${yaml}`;
}

if (import.meta.main) {
  for (const [name, crd] of Object.entries(files)) await writeFile(new URL(name, import.meta.url), emit(crd));
}
