import { joinPath, RenderError, type Tree } from '@mooring/renderer-contract';

/** Whether the folder holds a `Chart.yaml`, which makes it a Helm source as in Argo CD. */
export async function detect(tree: Tree, path: string): Promise<boolean> {
  try {
    const entry = await tree.stat(joinPath(joinPath('', path), 'Chart.yaml'));
    return entry !== undefined && entry.type !== 'directory';
  } catch (error) {
    if (error instanceof RenderError) return false;
    throw error;
  }
}
