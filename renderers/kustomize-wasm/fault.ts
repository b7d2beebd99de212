import { joinPath, RenderError, type RenderErrorCode } from '@mooring/renderer-contract';

const rules: readonly { readonly code: RenderErrorCode; readonly pattern: RegExp; readonly hint?: string }[] = [
  {
    code: 'unsupported',
    pattern: /must specify --enable-helm/,
    hint: 'charts are not inflated here: make the chart a source of its own, or commit what it renders to',
  },
  {
    code: 'unsupported',
    pattern: /external plugins disabled|unable to load external plugin|plugin .{0,300} not found|alpha.?plugins/i,
    hint: 'generators and transformers that start programs do not run here: commit what they produce',
  },
  {
    code: 'outside-tree',
    pattern: /is not in or below/,
    hint: 'move the file below the kustomization, or set the build option --load-restrictor LoadRestrictionsNone',
  },
  {
    code: 'syntax',
    pattern: /MalformedYAMLError|yaml: line \d+|error converting YAML to JSON|invalid Kustomization|yaml: unmarshal/,
  },
  {
    code: 'not-found',
    pattern: /no such file or directory|file does not exist|unable to find one of|must build at directory/,
  },
];

/**
 * Gives what Kustomize says a code, and the file and line where it names them. Its paths are absolute from the tree's root; the nearest folder that
 * it names is the one that the file is in.
 */
export function placed(error: RenderError, folder: string): RenderError {
  if (error.code !== 'build') return error;
  const rule = rules.find(({ pattern }) => pattern.test(error.message));
  const line = /yaml: line (\d+)/.exec(error.message)?.[1];
  const file = fileIn(error.message, folder);
  const message = rule?.hint === undefined ? error.message : `${error.message}: ${rule.hint}`;
  return new RenderError(rule?.code ?? 'build', message, {
    file,
    ...(line === undefined ? {} : { line: Number(line) }),
    cause: error,
  });
}

function fileIn(message: string, folder: string): string {
  const folders = [...message.matchAll(/recursed (?:accumulation|merging) (?:of|from) path '\/?([^']*)'/g)];
  const nearest = folders.at(-1)?.[1] ?? folder;
  const named =
    /in File: (\S+)/.exec(message)?.[1] ??
    [...message.matchAll(/accumulating resources from '([^']+)'/g)].at(-1)?.[1] ??
    /(?:open|lstat) ([^\s:]+): (?:no such|file does not)/.exec(message)?.[1];
  if (named === undefined) return nearest;
  try {
    return joinPath(nearest, named);
  } catch {
    // A name that leads out of the tree is no place in it.
    return nearest;
  }
}
