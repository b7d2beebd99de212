import { joinPath, RenderError, type RenderErrorCode, type Tree } from '@mooring/renderer-contract';
import { kustomizationIn, problemIn } from './locate.ts';

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

/** What is wrong with a file itself. A line that Kustomize gives with it is one of some document, and no line of the file. */
const ofFile =
  /MalformedYAMLError|yaml: (?:line|unmarshal)|error converting YAML to JSON|missing (?:kind|metadata\.name) in object|missing Resource metadata|unable to parse SM or JSON patch/;

/**
 * Gives what Kustomize says a code, and the file where it names one, with the line where that file is read to be wrong. Its paths are absolute from the tree's
 * root; the nearest folder that it names is the one that the file is in.
 */
export async function placed(error: RenderError, folder: string, tree: Tree): Promise<RenderError> {
  if (error.code !== 'build') return error;
  const rule = rules.find(({ pattern }) => pattern.test(error.message));
  const named = fileIn(error.message, folder);
  const kustomization = await kustomizationIn(tree, named);
  const file = kustomization ?? named;
  const message = rule?.hint === undefined ? error.message : `${error.message}: ${rule.hint}`;
  const isOfObject = kustomization === undefined && /missing (?:kind|metadata|Resource)/.test(error.message);
  const holds = isOfObject ? 'manifests' : 'yaml';
  const problem = ofFile.test(error.message) ? await problemIn(tree, file, holds) : undefined;
  return new RenderError(
    problem?.code ?? rule?.code ?? 'build',
    problem === undefined ? message : `${problem.message} (Kustomize says: ${message})`,
    { file, ...(problem?.line !== undefined && { line: problem.line }), cause: error },
  );
}

function fileIn(message: string, folder: string): string {
  const nearest = [
    ...message.matchAll(/(?:recursed (?:accumulation|merging) (?:of|from)|make target for) path '\/?([^']*)'/g),
  ].at(-1);
  const base = nearest?.[1] ?? folder;
  // What is named before is in the folder of an outer one.
  const inner = message.slice(nearest === undefined ? 0 : nearest.index + nearest[0].length);
  const named =
    /in File: (\S+)/.exec(inner)?.[1] ??
    /patch from \[path: "([^"]+)"\]/.exec(inner)?.[1] ??
    [...inner.matchAll(/accumulating resources from '([^']+)'/g)].at(-1)?.[1] ??
    /(?:open|lstat) ([^\s:]+): (?:no such|file does not)/.exec(inner)?.[1];
  if (named === undefined) return base;
  try {
    return joinPath(base, named);
  } catch {
    // A name that leads out of the tree is no place in it.
    return base;
  }
}
