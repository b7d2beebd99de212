import { joinPath, type KubeObject, parseDocuments, RenderError, type Renderer } from '@mooring/renderer-contract';
import { readWebApp, type WebApp } from './web-app.ts';

/** Folders with a `web-app.yaml`, such as `{name: hello, image: nginx:1.29, port: 80}`, become a Deployment and a Service. */
export const webAppRenderer: Renderer = {
  name: 'web-app',
  sourceType: 'Plugin',
  optionsKey: 'plugin',
  version: '1',
  async detect(tree, path) {
    return (await tree.stat(joinPath(path, 'web-app.yaml'))) !== undefined;
  },
  async render(tree, spec, { limits, signal }) {
    signal?.throwIfAborted();
    const path = joinPath(spec.path, 'web-app.yaml');
    if (limits.fileCount < 1) throw new RenderError('limit', `${path}: no file may be read; raise fileCount`);
    const [document] = parseDocuments(await tree.read(path), path, limits);
    const objects = objectsOf(readWebApp(document?.value, path));
    if (objects.length > limits.manifestCount) {
      throw new RenderError('limit', `${path} makes ${objects.length} objects; raise manifestCount`, { file: path });
    }
    return { manifests: objects.map((object) => ({ object, origin: { path } })), warnings: [] };
  },
};

function objectsOf({ name, image, port, replicas }: WebApp): KubeObject[] {
  const labels = { 'app.kubernetes.io/name': name };
  const container = { name: 'web', image, ports: [{ name: 'http', containerPort: port }] };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, labels },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [container] } },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, labels },
      spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
    },
  ];
}
