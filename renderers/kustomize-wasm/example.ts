import { createKustomize, treeOf } from 'kustomize-wasm';

const kustomize = await createKustomize();
const tree = treeOf({
  'base/kustomization.yaml':
    'resources: [service.yaml]\nconfigMapGenerator: [{ name: settings, literals: [color=blue] }]\n',
  'base/service.yaml': 'apiVersion: v1\nkind: Service\nmetadata: { name: web }\nspec: { ports: [{ port: 80 }] }\n',
  'prod/kustomization.yaml': 'resources: [../base]\nnamespace: shop\n',
});

const { yaml, objects } = await kustomize.build(tree, 'prod', { edits: { namePrefix: 'prod-' } });
console.log(yaml);
console.log(`${objects.length} objects`);
await kustomize.close();
