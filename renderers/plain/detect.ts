import { followLinks, RenderError, type Tree } from '@mooring/renderer-contract';

/** Whether there is a directory at `path`: a directory that no other renderer claims is rendered as plain manifests, as in Argo CD. */
export async function detect(tree: Tree, path: string): Promise<boolean> {
  try {
    return (await tree.stat(await followLinks(tree, path)))?.type === 'directory';
  } catch (error) {
    if (error instanceof RenderError) return false;
    throw error;
  }
}
