import { writeFile } from 'node:fs/promises';
import { metricsPage } from '@mooring/operator/adapters/telemetry/reference.ts';
import { settingsPage } from './settings-page.ts';

/** The pages of this folder that are made from code, and what each says. */
export const pages: Readonly<Record<string, () => string>> = {
  'metrics.md': metricsPage,
  'settings.md': settingsPage,
};

if (import.meta.main) {
  for (const [name, page] of Object.entries(pages)) await writeFile(new URL(name, import.meta.url), page());
}
