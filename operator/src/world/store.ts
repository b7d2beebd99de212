import type { Application, AppProject } from '@mooring/crds';
import type { Customization } from '../model/customization.ts';
import type { GlobalProject } from '../model/global-projects.ts';
import type { KindFilter } from '../model/kind-filter.ts';
import type { UnreadRules } from '../model/unread-rules.ts';
import type { RepositoryAccess } from './git.ts';

/** Names an Application or AppProject in the operator's cluster. */
export interface NamespacedName {
  readonly namespace: string;
  readonly name: string;
}

/** Which labels and conditions of Applications and clusters are metrics, too. */
export interface MetricsChoice {
  /** None where absent. */
  readonly applicationLabels?: readonly string[];
  /** All where absent. */
  readonly applicationConditions?: readonly string[];
  /** None where absent. */
  readonly clusterLabels?: readonly string[];
}

/**
 * What becomes of a kind that an account may not list. `off`: nothing of that cluster is believed. `normal`: the kind alone is left out. `strict`: the same, if a
 * SelfSubjectAccessReview says so, too.
 */
export type RespectRbac = 'off' | 'normal' | 'strict';

/** `argocd-cm` and `argocd-cmd-params-cm`, read as Argo CD reads them. */
export interface Settings {
  /** `timeout.reconciliation` in milliseconds; 0 turns polling off. Default 120 s. */
  readonly pollIntervalMs: number;
  /** `timeout.reconciliation.jitter` in milliseconds. Default 60 s. */
  readonly pollJitterMs: number;
  /** What `argocd-secret` has under `webhook.`, by the rest of the key (`github.secret`), trimmed; without what is empty. */
  readonly webhookSecrets: Readonly<Record<string, string>>;
  /** `controller.sync.timeout.seconds` in milliseconds; 0 is none. */
  readonly syncTimeoutMs: number;
  /** `controller.sync.wave.delay.seconds` in milliseconds. Default 2 s. */
  readonly waveDelayMs: number;
  /** `controller.metrics.application.labels`, `controller.metrics.application.conditions` and `controller.metrics.cluster.labels`. */
  readonly metrics: MetricsChoice;
  /** `resource.respectRBAC`. */
  readonly respectRbac: RespectRbac;
  /** What `argocd-cm` says about renderers, by its keys: `helm.…`, `kustomize.…`, `jsonnet.…`. */
  readonly renderers: Readonly<Record<string, string>>;
  /** `resource.exclusions` and `resource.inclusions`. Default: what Argo CD's own manifests set. */
  readonly kinds: KindFilter;
  /** `globalProjects`. */
  readonly globalProjects: readonly GlobalProject[];
  /** `resource.customizations`, of all that they say of kinds what matters here. */
  readonly customizations: readonly Customization[];
  /** What is not read yet, or cannot be, and would change what is written. */
  readonly unread: UnreadRules;
}

/** What changed in the store. */
export type StoreChange =
  | { readonly kind: 'Application'; readonly name: NamespacedName }
  | { readonly kind: 'AppProject'; readonly name: NamespacedName }
  | { readonly kind: 'Repository' | 'Settings' };

/** Mooring's own objects, watched. Reads answer from the view, which is never older than this process's own last write. */
export interface Store {
  /** Namespace of the operator: where Applications, projects, Secrets and ConfigMaps are. */
  readonly namespace: string;
  applications(): readonly Application[];
  application(name: NamespacedName): Application | undefined;
  project(name: string): AppProject | undefined;
  /** Credentials for a repository: its own Secret, else the longest `repo-creds` prefix, else none. `project` sees its own and the global ones. */
  repository(url: string, project: string): RepositoryAccess;
  settings(): Settings;
  /**
   * Sends a JSON merge patch that only takes effect on the Application as it is given (uid and resourceVersion): what somebody else writes meanwhile, a leader
   * that has taken over among them, is not overwritten. Throws `Fault` `object-missing` or `object-conflict`.
   */
  patchApplication(app: Application, patch: Readonly<Record<string, unknown>>): Promise<Application>;
  /** Creates the project `default`, allowing everything, where there is none. */
  ensureDefaultProject(): Promise<void>;
  /** Reads every Application again: after it the view holds all that anybody wrote before the call. Throws `Fault`. */
  refresh(): Promise<void>;
  subscribe(listener: (change: StoreChange) => void): () => void;
}
