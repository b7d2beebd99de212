import { type SettingClass, type SettingPlace, settingKeys } from '@mooring/operator/model/settings-keys.ts';

const places: readonly [place: SettingPlace, title: string][] = [
  ['argocd-cm', 'ConfigMap `argocd-cm`'],
  ['argocd-cmd-params-cm', 'ConfigMap `argocd-cmd-params-cm`'],
  ['AppProject', '`spec` of an AppProject'],
  ['repository', 'Secrets of repositories (`repository` and `repo-creds`)'],
  ['cluster', 'Secrets of clusters'],
];

const classes: readonly SettingClass[] = ['read', 'gate', 'rule', 'hint', 'none'];

const head = `# Settings

Every key that Argo CD 3.6 knows, and what becomes of it. Made from \`operator/src/model/settings-keys.ts\` by \`make reference\`.

- **read**: it means what it means in Argo CD.
- **gate**: it protects, and is not read yet. Nothing is written for the Applications that it is to protect; a condition names it.
- **rule**: it changes what is written, compared or pruned, and is not read yet. The same, for the Applications that it would change.
- **hint**: it is not read, and nothing that is written depends on it. One line of the log and \`/readyz?verbose\` name it.
- **none**: it is for a part that Mooring has not.

A value under "no effect" is as good as none. Why it is so: [decision 31](../decisions/0031-settings-that-protect-are-never-passed-over.md).
`;

/** The page of settings. */
export function settingsPage(): string {
  const tables = places.map(([place, title]) => {
    const rows = classes.flatMap((name) =>
      settingKeys
        .filter((row) => row.place === place && row.class === name)
        .map(({ key, harmless, about }) => {
          const values = harmless.map((value) => `\`${value}\``).join(', ');
          return `| \`${key}\` | ${name} | ${about} | ${values} |`;
        }),
    );
    return `\n## ${title}\n\n| key | class | what it is about | no effect |\n|---|---|---|---|\n${rows.join('\n')}\n`;
  });
  return `${head}${tables.join('')}`;
}
