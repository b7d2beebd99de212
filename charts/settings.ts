import { type SettingPlace, settingKeys } from '@mooring/operator/model/settings-keys.ts';
import type { Files } from './files.ts';

/** The places whose keys are values of the chart, by their names below `configs`. */
const places: readonly [name: string, place: SettingPlace][] = [
  ['cm', 'argocd-cm'],
  ['params', 'argocd-cmd-params-cm'],
];

/** A template that knows what becomes of each key of the settings, so that the notes can name those that are given in vain. */
export async function settingsFile(): Promise<Files> {
  const known = Object.fromEntries(
    places.map(([name, place]) => [
      name,
      settingKeys
        .filter((row) => row.place === place)
        .map(({ key, class: is, harmless, about }) => ({ key, class: is, harmless, about })),
    ]),
  );
  // Backticks end a text of a template.
  const text = JSON.stringify(known).replaceAll('`', "'");
  const head = '{{- /* Made from operator/src/model/settings-keys.ts by `make charts`. */ -}}';
  return {
    'mooring/templates/_settings.tpl': `${head}\n{{- define "mooring.settings" -}}\n{{ \`${text}\` }}\n{{- end -}}\n`,
  };
}
