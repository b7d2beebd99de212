import { joinPath, RenderError, type Tree } from '@mooring/renderer-contract';

/** The names that a kustomization file may have. */
export const kustomizationNames: readonly string[] = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/** Whether the folder holds a kustomization file, which makes it a Kustomize source as in Argo CD. */
export async function detect(tree: Tree, path: string): Promise<boolean> {
  try {
    const children = await tree.list(joinPath('', path));
    return children.some((child) => child.type !== 'directory' && kustomizationNames.includes(child.name));
  } catch (error) {
    if (error instanceof RenderError) return false;
    throw error;
  }
}
