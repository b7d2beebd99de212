import { type Annotations, annotation, itemsOf } from './annotations.ts';
import type { SyncOptions } from './desired.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Options of an object where neither the Application nor the object says anything. */
export const defaultSyncOptions: SyncOptions = {
  prune: 'yes',
  pruneLast: false,
  prunePropagation: 'foreground',
  delete: 'yes',
  validate: true,
  replace: false,
  force: false,
  respectIgnoreDifferences: false,
  skipDryRunOnMissingResource: false,
};

const permissions = { true: 'yes', false: 'no', confirm: 'confirm' } as const;
const propagations = { foreground: 'foreground', background: 'background', orphan: 'orphan' } as const;
const booleans = { true: true, false: false } as const;

/** What each option sets, given its text; a text that it doesn't know changes nothing, as in Argo CD. */
const setters: Readonly<Record<string, (options: Writable<SyncOptions>, text: string) => void>> = {
  Prune: (options, text) => {
    options.prune = known(permissions, text) ?? options.prune;
  },
  PruneLast: (options, text) => {
    options.pruneLast = known(booleans, text) ?? options.pruneLast;
  },
  PrunePropagationPolicy: (options, text) => {
    options.prunePropagation = known(propagations, text) ?? options.prunePropagation;
  },
  Delete: (options, text) => {
    options.delete = known(permissions, text) ?? options.delete;
  },
  Validate: (options, text) => {
    options.validate = known(booleans, text) ?? options.validate;
  },
  Replace: (options, text) => {
    options.replace = known(booleans, text) ?? options.replace;
  },
  Force: (options, text) => {
    options.force = known(booleans, text) ?? options.force;
  },
  RespectIgnoreDifferences: (options, text) => {
    options.respectIgnoreDifferences = known(booleans, text) ?? options.respectIgnoreDifferences;
  },
  SkipDryRunOnMissingResource: (options, text) => {
    options.skipDryRunOnMissingResource = known(booleans, text) ?? options.skipDryRunOnMissingResource;
  },
};

function known<T extends object>(texts: T, text: string): T[keyof T] | undefined {
  return Object.hasOwn(texts, text) ? texts[text as keyof T] : undefined;
}

/**
 * The options in force for one object: those of the Application (`Name=value`, from `spec.syncPolicy.syncOptions`), overruled by the object's own
 * `argocd.argoproj.io/sync-options`. `helm.sh/resource-policy: keep` counts as `Delete=false`.
 */
export function syncOptionsOf(ofApplication: readonly string[], annotations: Annotations): SyncOptions {
  const options: Writable<SyncOptions> = { ...defaultSyncOptions };
  if (annotations?.[annotation.helmResourcePolicy] === 'keep') options.delete = 'no';
  for (const item of [...ofApplication, ...itemsOf(annotations, annotation.syncOptions)]) {
    const [name = '', text = ''] = item.split('=');
    if (Object.hasOwn(setters, name)) setters[name]?.(options, text);
  }
  return options;
}
