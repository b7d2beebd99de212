import type { KubeObject } from '@mooring/renderer-contract';

/** Where a pod template can stand in a built-in workload. */
const podSpecPaths: readonly (readonly string[])[] = [
  ['spec'],
  ['spec', 'template', 'spec'],
  ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
];

/** Images of every container of the objects, sorted, each once: `status.summary.images`. */
export function imagesOf(objects: Iterable<KubeObject>): string[] {
  const images = new Set<string>();
  for (const object of objects) {
    for (const path of podSpecPaths) {
      const podSpec = path.reduce<unknown>((value, field) => member(value, field), object);
      for (const list of ['initContainers', 'containers']) {
        const containers = member(podSpec, list);
        if (!Array.isArray(containers)) continue;
        for (const container of containers) {
          const image = member(container, 'image');
          if (typeof image === 'string') images.add(image);
        }
      }
    }
  }
  return [...images].sort();
}

/** Images of the containers of one object, in their order and without init containers: `images` of a sync's result. */
export function containerImages(object: KubeObject): string[] {
  for (const path of podSpecPaths) {
    const containers = member(
      path.reduce<unknown>((value, field) => member(value, field), object),
      'containers',
    );
    if (!Array.isArray(containers)) continue;
    return containers.map((container) => member(container, 'image')).filter((image) => typeof image === 'string');
  }
  return [];
}

function member(value: unknown, field: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, field)
    ? (value as Record<string, unknown>)[field]
    : undefined;
}
