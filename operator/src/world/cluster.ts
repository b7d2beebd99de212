import type { KubeObject } from '@mooring/renderer-contract';
import type { Fault } from '../model/fault.ts';
import type { Guard, Scope } from '../model/guard.ts';
import type { AppliedMark, LiveRecord } from '../model/live.ts';
import type { ResourceKey } from '../model/resource-key.ts';

/** How one object is written. */
export interface WriteOptions {
  /**
   * `server-side`: server-side apply, field manager `argocd-controller`, forced. `create`: fails where it exists.
   * `replace`: PUT of the whole object, created where it is missing. `recreate`: deleted (foreground; a hook that is held is let go), then created.
   */
  readonly how: 'server-side' | 'create' | 'replace' | 'recreate';
  /** The server checks and answers, nothing is stored. */
  readonly dryRun?: boolean;
  /** Whether unknown and duplicate fields are refused (`fieldValidation=Strict`) or ignored. */
  readonly validate: boolean;
  /** Uid that the object must still have; where it is another one the write fails with `object-conflict`, and the view then holds what is there. */
  readonly uid?: string;
  /** Header of the span that the write is made for. */
  readonly traceparent?: string | undefined;
}

/** How one object of an Application is written. */
export interface ApplyOptions extends WriteOptions {
  /**
   * Held against the object right before the write, with the scope that its kind is served with then: `object-refused` where the Application may not have it, or
   * where it was made ready for another scope.
   */
  readonly guard: Guard;
  /** Told where the object could not be written as it was to be, and was written another way: a sentence about the manifest. */
  readonly warn?: (warning: string) => void;
}

export type Propagation = 'foreground' | 'background' | 'orphan';

/** How one object is deleted. */
export interface RemoveOptions {
  readonly propagation: Propagation;
  /** As for an apply. */
  readonly guard: Guard;
  /** Header of the span that the write is made for. */
  readonly traceparent?: string | undefined;
}

/** Why somebody should look at an Application again. */
export interface LiveChange {
  readonly server: string;
  /** Application named by the object's tracking id, or one that asks for the object. */
  readonly app: string;
  readonly key: ResourceKey;
  /**
   * `drift`: our fields were touched, or, of an object that no mark vouches for, anything; `gone`, `new`: the object; `health`: its health, its links, or the
   * hints Mooring acts on.
   */
  readonly what: 'drift' | 'gone' | 'new' | 'health';
}

/** A kind of which the view tells nothing that may be believed just now, and why. */
export interface UnseenKind {
  readonly group: string;
  readonly kind: string;
  /** Where that is so; `''` for everywhere. */
  readonly namespace: string;
  readonly fault: Fault;
}

/** An object that was found to equal a desired one. */
export interface Equal {
  readonly desiredHash: string;
  /** The version that was compared. */
  readonly resourceVersion: string | undefined;
  /** Whether our managedFields entry in it holds every field that is asked for. */
  readonly isCovered: boolean;
  /** Whether only a dry run could tell. */
  readonly isAsked: boolean;
}

/** One cluster and the watched view of it. Methods that talk to the API server throw `Fault` (`cluster-*`, `object-*`). */
export interface Cluster {
  readonly server: string;
  /** Such as `1.37.2`. */
  readonly version: string;
  /** `apps/v1`, `apps/v1/Deployment`, …, sorted: Helm's and Kustomize's capabilities. */
  readonly apiVersions: readonly string[];
  /** undefined where the cluster does not serve the kind. */
  scopeOf(group: string, kind: string): Scope | undefined;
  /** Whether the cluster serves a kind in this version now; it is asked where that is not known. */
  serves(apiVersion: string, kind: string): Promise<boolean>;
  /** The record of one key, from the view. The view is never older than this process's own last write of that key. */
  record(key: ResourceKey): LiveRecord | undefined;
  /** Every record whose tracking id names the Application, from the view. */
  tracked(app: string): readonly LiveRecord[];
  /** A hook that is no more, as it was last seen alive; forgotten when many others have gone since, and with the process. */
  lastOf(key: ResourceKey): LiveRecord | undefined;
  /** Whether the view is of the namespace of this object at all, or of cluster-scoped objects; `clusterResources` and `namespaces` of a cluster Secret. */
  covers(key: ResourceKey): boolean;
  /** Kinds that cannot be seen while the rest of the cluster can; usually none. */
  unseen(): readonly UnseenKind[];
  /** Everything that the finalizer of hooks holds, whoever it belongs to, from the view. */
  held(): readonly LiveRecord[];
  /** Records whose owner reference names `uid`, from the view. */
  ownedBy(uid: string): readonly LiveRecord[];
  mark(key: ResourceKey): AppliedMark | undefined;
  /** Remembers what an object equals; nothing where the view holds another version of it than was compared. */
  setMark(key: ResourceKey, equal: Equal): void;
  /** Forgets the mark of an object that does not equal what is asked for, so that each change of it is told. */
  dropMark(key: ResourceKey): void;
  /** Which objects an Application asks for, in the place of those of before: it is told of what becomes of them, whoever they belong to. */
  want(app: string, keys: readonly ResourceKey[]): void;
  /**
   * The object itself, from the API server; undefined where there is none. In this version of its kind, where it is served, else in the preferred one. The
   * view is not older than the answer then.
   */
  get(key: ResourceKey, apiVersion?: string): Promise<KubeObject | undefined>;
  /**
   * Writes one object; answers what the server stored. The view holds it when this returns. A server-side apply only takes effect on the object as the view has it
   * when the write is sent (uid, resourceVersion), or where the view has none and there is none: `object-conflict` where there is another one, which the view then
   * holds.
   */
  apply(object: KubeObject, options: ApplyOptions): Promise<KubeObject>;
  /** Sends a JSON merge patch (RFC 7396) to one object. */
  patch(key: ResourceKey, patch: Readonly<Record<string, unknown>>): Promise<KubeObject>;
  /**
   * Deletes the object that has this uid and belongs to this Application at that very moment, and no other; one that is gone already is fine. A hook that is held
   * is let go with it. Throws `object-conflict` for any other, which the view then holds.
   */
  remove(record: LiveRecord, options: RemoveOptions): Promise<void>;
  /** Takes the finalizer of hooks off the object that has this uid, and nobody else's; one that is gone already is fine. */
  letGo(record: LiveRecord): Promise<void>;
}

/** What a cluster is called. */
export interface ClusterIdentity {
  readonly server: string;
  readonly name: string;
  /** The project that its Secret belongs to; `''` where it belongs to none. */
  readonly project: string;
  /** Whether its Secret says that its Applications are not to be looked at (`argocd.argoproj.io/skip-reconcile`). */
  readonly isSkipped?: boolean;
}

/** The clusters that can be destinations: the operator's own, and those of cluster Secrets. */
export interface Clusters {
  /** The named or addressed destination. Throws `Fault` `cluster-unknown` (its data says how many were `found`), or `spec-invalid` where both or neither are given. */
  locate(destination: { readonly server?: string; readonly name?: string }): ClusterIdentity;
  /** Waits, within limits, until the view is complete. Throws `Fault` `cluster-unknown`, `cluster-unreachable` or `cluster-refused`. */
  open(server: string): Promise<Cluster>;
  /** Those whose view is complete and follows them just now. */
  followed(): readonly Cluster[];
  /** Whether an object that the Application asks for may have changed since it was compared, as far as the views tell that there are. */
  isOutdated(app: string): boolean;
  /** Forgets what an Application asks for, but in the cluster that is excepted. */
  forget(app: string, exceptServer?: string): void;
  /** Calls `listener` on each change of a tracked object or one that an Application asks for, and with `app: undefined` when a whole cluster came, went or was seen anew. */
  subscribe(listener: (change: LiveChange | { readonly server: string; readonly app: undefined }) => void): () => void;
}
