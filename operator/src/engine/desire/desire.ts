import type { KubeObject, Manifest, ObjectMeta, Origin } from '@mooring/renderer-contract';
import { type Annotations, annotation } from '../../model/annotations.ts';
import type { DesiredObject, DesiredSet, DesiredWarning, Hook } from '../../model/desired.ts';
import { Fault } from '../../model/fault.ts';
import type { Guard, Scope } from '../../model/guard.ts';
import { sha256 } from '../../model/hash.ts';
import { hookRole, waveOf } from '../../model/hooks.ts';
import { inOneGo } from '../../model/in-one-go.ts';
import { canonicalJson, isJsonObject, textAt } from '../../model/json.ts';
import { definedKind, definesKinds, groupOf, keyOf, keyText, versionOf } from '../../model/resource-key.ts';
import { withPlainData } from '../../model/secret.ts';
import { syncOptionsOf } from '../../model/sync-options.ts';
import { trackingId } from '../../model/tracking.ts';

/** For whom and for where manifests are made ready. */
export interface DesireContext {
  /** Name of the Application in tracking ids; see `trackingName`. */
  readonly appName: string;
  /** `''` where the Application names none. */
  readonly destinationNamespace: string;
  /** What the project forbids. */
  readonly guard: Guard;
  /** `spec.syncPolicy.syncOptions`, or those of the operation. */
  readonly syncOptions: readonly string[];
  /** undefined where the cluster does not serve the kind (yet). */
  readonly scopeOf: (group: string, kind: string) => Scope | undefined;
  /** Whether the settings leave a kind out. */
  readonly isExcluded: (group: string, kind: string) => boolean;
}

/**
 * Makes rendered manifests ready to be applied: namespaces, tracking ids, waves, hooks, options, and what the project forbids. The manifests
 * themselves are not changed. Of objects with the same key the last one counts, with a warning. Objects that a source only carries for others
 * (`argocd.argoproj.io/hook: Skip`, Helm's tests) stay as hooks of no phase: never applied, and never pruned. Throws `Fault` `render-failed` where a
 * manifest is no Kubernetes object.
 */
export function desire(manifests: readonly Manifest[], context: DesireContext): DesiredSet {
  return inOneGo(desiring(manifests, context));
}

/** As `desire`, with a pause after each manifest: it says about how many characters it has worked through. */
export function* desiring(manifests: readonly Manifest[], context: DesireContext): Generator<number, DesiredSet> {
  const scopeOf = scopes(manifests, context);
  const objects = new Map<string, DesiredObject>();
  const counts = new Map<string, number>();
  const warnings: DesiredWarning[] = [];
  for (const [index, manifest] of manifests.entries()) {
    const { desired, length } = desiredObject(manifest, context, scopeOf);
    yield length + objectLength;
    const { group, kind, name } = desired.key;
    if (context.isExcluded(group, kind)) {
      const message = `Resource ${group}/${kind} ${name} is excluded in the settings; it is not applied. Remove it from the source, or see resource.exclusions and resource.inclusions in argocd-cm`;
      warnings.push({ type: 'ExcludedResourceWarning', message });
      continue;
    }
    if (isHomeless(desired, scopeOf)) warnings.push({ type: 'InvalidSpecError', message: homeless(desired) });
    const text = keyText(desired.key);
    // Objects with generateName get their names when they are applied: each is one of its own.
    const id = desired.key.name === '' ? `${text} ${index}` : text;
    objects.set(id, desired);
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return { objects: [...objects.values()], warnings: [...warnings, ...repetitions(objects, counts)] };
}

/** Characters of JSON that cost as much as an object does whatever its length. */
const objectLength = 300;

function desiredObject(
  manifest: Manifest,
  context: DesireContext,
  scopeOf: DesireContext['scopeOf'],
): { readonly desired: DesiredObject; readonly length: number } {
  const { origin } = manifest;
  checkShape(manifest);
  const object = { ...withPlainData(manifest.object) };
  const scope = scopeOf(groupOf(object.apiVersion), object.kind) ?? 'Namespaced';
  const metadata = cleanMetadata(object.metadata);
  object.metadata = metadata;
  if (scope === 'Cluster') delete metadata.namespace;
  else if (!metadata.namespace && context.destinationNamespace !== '')
    metadata.namespace = context.destinationNamespace;
  const key = keyOf(object);
  const hook = hookOf(metadata.annotations);
  // Argo CD leaves definitions untracked, so that they are never deleted with all their objects because one Application goes. Nor may one say that it is another's.
  if (definesKinds(key)) {
    if (metadata.annotations) metadata.annotations = withoutTracking(metadata.annotations);
  } else {
    metadata.annotations = {
      ...metadata.annotations,
      [annotation.trackingId]: trackingId(context.appName, key, context.destinationNamespace),
    };
  }
  const forbidden = isHomeless({ key }, scopeOf) ? homeless({ key, object }) : refusal(object, scope, hook, context);
  // What stands outside of the metadata is as it was rendered, but for Secrets, of which it is made ready always in the same way.
  const text = manifest.digest === undefined ? canonicalJson(object) : manifest.digest + canonicalJson(metadata);
  const desired: DesiredObject = {
    key,
    object,
    hash: sha256(text),
    origin,
    wave: waveOf(metadata.annotations),
    options: syncOptionsOf(context.syncOptions, metadata.annotations),
    ...(hook !== undefined && { hook }),
    ...(forbidden !== undefined && { forbidden }),
  };
  return { desired, length: text.length };
}

function withoutTracking(annotations: Readonly<Record<string, string>>): Record<string, string> {
  const { [annotation.trackingId]: _, ...rest } = annotations;
  return rest;
}

/** Whether an object of a namespaced kind has no namespace, of its own or of the destination. */
function isHomeless({ key }: Pick<DesiredObject, 'key'>, scopeOf: DesireContext['scopeOf']): boolean {
  return key.namespace === '' && scopeOf(key.group, key.kind) === 'Namespaced';
}

function homeless({ key, object }: Pick<DesiredObject, 'key' | 'object'>): string {
  const kind = `${key.group}/${versionOf(object.apiVersion)}, Kind=${key.kind}`;
  return `Namespace for ${key.name} ${kind} is missing. Set metadata.namespace or spec.destination.namespace`;
}

/** What the API server owns is nothing that a source can ask for: with it, an apply would be refused. */
function cleanMetadata(metadata: ObjectMeta): ObjectMeta {
  const { uid, resourceVersion, generation, creationTimestamp, managedFields, ...rest } = metadata;
  delete (rest as Record<string, unknown>)['selfLink'];
  return rest;
}

function hookOf(annotations: Annotations): Hook | undefined {
  const found = hookRole(annotations);
  if (found.role === 'none') return undefined;
  return found.role === 'hook' ? found.hook : { phases: [], deletePolicies: [] };
}

function refusal(object: KubeObject, scope: Scope, hook: Hook | undefined, context: DesireContext): string | undefined {
  const key = keyOf(object);
  if (key.name === '' && hook === undefined) {
    return `${key.kind} with metadata.generateName is no hook, so each sync would create another one; give it metadata.name`;
  }
  const { generateName } = object.metadata;
  return context.guard({ key, scope, ...(generateName !== undefined && { generateName }) });
}

/**
 * Scopes as the cluster knows them, else as the definitions among the manifests say that the project permits: any other will never be there. What is written
 * is held against the scope that is served then.
 */
function scopes(manifests: readonly Manifest[], { scopeOf, guard }: DesireContext): DesireContext['scopeOf'] {
  const defined = new Map<string, Scope>();
  for (const { object } of manifests) {
    const found = definedKind(object);
    if (found === undefined) continue;
    const name = textAt(object, 'metadata', 'name') ?? '';
    const key = { group: groupOf(object.apiVersion), kind: object.kind, namespace: '', name };
    if (guard({ key, scope: 'Cluster' }) === undefined) defined.set(`${found.group}/${found.kind}`, found.scope);
  }
  return (group, kind) => scopeOf(group, kind) ?? defined.get(`${group}/${kind}`);
}

function repetitions(
  objects: ReadonlyMap<string, DesiredObject>,
  counts: ReadonlyMap<string, number>,
): readonly DesiredWarning[] {
  const warnings: DesiredWarning[] = [];
  for (const [id, count] of counts) {
    const kept = objects.get(id);
    if (count < 2 || kept === undefined) continue;
    const message = `Resource ${id} appeared ${count} times among application resources. The last one, from ${placeOf(kept.origin)}, is used; remove the others.`;
    warnings.push({ type: 'RepeatedResourceWarning', message });
  }
  return warnings;
}

function checkShape({ object, origin }: Manifest): void {
  const problem = shapeProblem(object);
  if (problem === undefined) return;
  const place = placeOf(origin);
  throw new Fault('render-failed', `${place}: ${problem}`, { file: origin.path, line: origin.line });
}

function shapeProblem(object: KubeObject): string | undefined {
  if (!isJsonObject(object) || !isText(object.apiVersion)) return 'no Kubernetes object: apiVersion is missing';
  if (!isText(object.kind)) return 'no Kubernetes object: kind is missing';
  if (!isJsonObject(object.metadata)) return `${object.kind} has no metadata; give it metadata.name`;
  const { name, generateName, namespace, annotations } = object.metadata;
  if (!isText(name) && !isText(generateName)) return `${object.kind} has no name; set metadata.name to a text`;
  const named = `${object.kind} ${isText(name) ? name : generateName}`;
  if (!isAbsent(namespace) && typeof namespace !== 'string') return `${named}: metadata.namespace must be a text`;
  if (isAbsent(annotations)) return undefined;
  if (!isJsonObject(annotations)) return `${named}: metadata.annotations must map names to texts`;
  const wrong = Object.keys(annotations).find(
    (key) => !isAbsent(annotations[key]) && typeof annotations[key] !== 'string',
  );
  return wrong === undefined ? undefined : `${named}: the annotation ${wrong} must be a text; put it in quotes`;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function placeOf(origin: Origin): string {
  return origin.line === undefined ? origin.path : `${origin.path} line ${origin.line}`;
}
