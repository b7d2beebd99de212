import { followLinks, joinPath, RenderError, readDocuments, type Tree } from '@mooring/renderer-contract';
import { isJsonObject } from '../../model/json.ts';

/** The fields of `spec.source` that a file in the repository may change: those of the renderers. */
export type SourceOptions = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const fileLimits = { manifestBytes: 1024 * 1024, manifestCount: 1 };

/**
 * Merges `.argocd-source.yaml` and `.argocd-source-<appName>.yaml` of the source's folder over what the Application says (JSON merge patch, RFC 7396).
 * Only the fields in `allowed` are taken. https://argo-cd.readthedocs.io/en/stable/user-guide/parameters/#store-overrides-in-git
 * Throws `RenderError` where a file is no YAML object.
 */
export async function applyOverrides(
  tree: Tree,
  folder: string,
  appName: string,
  options: SourceOptions,
  allowed: ReadonlySet<string>,
): Promise<SourceOptions> {
  let merged: Record<string, unknown> = { ...options };
  for (const name of ['.argocd-source.yaml', `.argocd-source-${appName}.yaml`]) {
    if (name.includes('/')) continue;
    const file = joinPath(folder, name);
    const entry = await tree.stat(file);
    if (entry === undefined || entry.type === 'directory') continue;
    const { found } = await readDocuments(await tree.read(await followLinks(tree, file)), file, fileLimits);
    const [document, ...more] = found;
    if (document === undefined) continue;
    if (!isJsonObject(document.value) || more.length > 0) {
      throw new RenderError('invalid', `${file} must be one YAML object with fields of spec.source`, {
        file,
        line: document.line,
      });
    }
    const patch = Object.entries(document.value).filter(([field]) => allowed.has(field));
    merged = mergeObject(merged, Object.fromEntries(patch));
  }
  for (const [field, value] of Object.entries(merged)) {
    if (!isJsonObject(value)) {
      throw new RenderError('invalid', `${joinPath(folder, '.argocd-source.yaml')}: ${field} must be an object`);
    }
  }
  return merged as SourceOptions;
}

function mergeObject(
  target: Readonly<Record<string, unknown>>,
  patch: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const merged = new Map(Object.entries(target));
  for (const [field, value] of Object.entries(patch)) {
    const before = merged.get(field);
    if (value === null) merged.delete(field);
    else if (isJsonObject(value)) merged.set(field, mergeObject(isJsonObject(before) ? before : {}, value));
    else merged.set(field, value);
  }
  return Object.fromEntries(merged);
}
