import { mkdir, writeFile } from 'node:fs/promises';
import { crdFiles } from './crds.ts';
import type { Files } from './files.ts';
import { dashboardFiles } from './grafana/dashboards.ts';
import { manifestFiles } from './manifests.ts';
import { readmeFile } from './readme.ts';
import { schemaFile } from './schema.ts';
import { settingsFile } from './settings.ts';

/** What is generated in this folder. Each step is made when those before it have been written: it may read their files. */
export const steps: readonly (() => Promise<Files>)[] = [
  crdFiles,
  dashboardFiles,
  schemaFile,
  settingsFile,
  readmeFile,
  manifestFiles,
];

if (import.meta.main) {
  for (const step of steps) {
    for (const [path, text] of Object.entries(await step())) {
      const file = new URL(path, import.meta.url);
      await mkdir(new URL('./', file), { recursive: true });
      await writeFile(file, text);
    }
  }
}
