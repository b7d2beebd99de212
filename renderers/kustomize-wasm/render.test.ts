import { conformance } from '@mooring/renderer-contract/conformance';
import { kustomizeRenderer } from './render.ts';

const configMap = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  color: blue\n';
const service = 'apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  ports:\n  - port: 80\n';

conformance(kustomizeRenderer, {
  renders: [
    {
      name: 'an overlay',
      path: 'shop/prod',
      entry: 'shop/prod/kustomization.yaml',
      files: {
        'shop/base/kustomization.yaml': 'resources:\n- settings.yaml\n- service.yaml\n',
        'shop/base/settings.yaml': configMap,
        'shop/base/service.yaml': service,
        'shop/prod/kustomization.yaml': 'resources:\n- ../base\nnamePrefix: prod-\n',
      },
    },
    {
      name: 'a folder with options',
      path: 'app',
      entry: 'app/settings.yaml',
      options: { nameSuffix: '-$ARGOCD_APP_NAME', commonLabels: { app: '$ARGOCD_APP_NAME' }, namespace: 'shop' },
      files: { 'app/kustomization.yml': 'resources: [settings.yaml]\n', 'app/settings.yaml': configMap },
    },
  ],
  strangers: [
    { name: 'a folder of manifests', path: '', files: { 'settings.yaml': configMap } },
    { name: 'a chart', path: 'chart', files: { 'chart/Chart.yaml': 'apiVersion: v2\nname: chart\nversion: 1.0.0\n' } },
    { name: 'the folder above', path: '', files: { 'app/kustomization.yaml': 'resources: []\n' } },
  ],
});
