import { createHelm, treeOf } from 'helm-ts-wrapper';

const helm = await createHelm();
const tree = treeOf({
  'web/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n',
  'web/values.yaml': 'port: 80\n',
  'web/templates/service.yaml': `apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
spec:
  ports:
  - port: {{ .Values.port }}
`,
});

const { yaml, objects } = await helm.template(tree, 'web', { releaseName: 'shop', values: 'port: 8080' });
console.log(yaml);
console.log(`${objects.length} object`);
await helm.close();
