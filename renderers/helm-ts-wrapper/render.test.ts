import { conformance } from '@mooring/renderer-contract/conformance';
import { helmRenderer } from './render.ts';

const chart = (name: string, more = ''): string => `apiVersion: v2\nname: ${name}\nversion: 1.0.0\n${more}`;
const configMap = (name: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  color: {{ .Values.color }}\n`;

conformance(helmRenderer, {
  renders: [
    {
      name: 'a chart with a dependency, values and a hook',
      path: 'charts/shop',
      entry: 'charts/shop/templates/settings.yaml',
      options: { valueFiles: ['values-prod.yaml', '/values/all.yaml'], parameters: [{ name: 'size', value: 'big' }] },
      files: {
        'charts/shop/Chart.yaml': chart('shop', 'dependencies:\n- name: db\n  version: 1.0.0\n'),
        'charts/shop/values.yaml': 'color: blue\n',
        'charts/shop/values-prod.yaml': 'color: green\n',
        'values/all.yaml': 'size: small\n',
        'charts/shop/templates/settings.yaml': configMap('{{ .Release.Name }}-{{ .Values.size }}'),
        'charts/shop/templates/hook.yaml': configMap('hook').replace(
          '  name',
          '  annotations: {helm.sh/hook: pre-install}\n  name',
        ),
        'charts/shop/charts/db/Chart.yaml': chart('db'),
        'charts/shop/charts/db/values.yaml': 'color: red\n',
        'charts/shop/charts/db/templates/settings.yaml': configMap('db'),
      },
    },
    {
      name: 'a chart whose dependency is beside it, under an alias',
      path: 'shop',
      entry: 'shop/Chart.yaml',
      files: {
        'shop/Chart.yaml': chart(
          'shop',
          'dependencies:\n- name: db\n  version: ^1.0.0\n  repository: file://../db\n  alias: store\n',
        ),
        'db/Chart.yaml': chart('db'),
        'db/values.yaml': 'color: red\n',
        'db/templates/settings.yaml': configMap('db'),
      },
    },
  ],
  strangers: [
    { name: 'a folder of manifests', path: '', files: { 'settings.yaml': 'a: b\n' } },
    { name: 'the folder above', path: '', files: { 'chart/Chart.yaml': chart('chart') } },
  ],
});
