import type { KubeObject } from '@mooring/renderer-contract';
import { Fault } from '../../model/fault.ts';
import { numberAt, textAt } from '../../model/json.ts';
import { ownServer } from '../../model/own-cluster.ts';
import { createClient, type KubeContext } from './client.ts';
import type { Connection } from './connection.ts';
import { startReflector } from './reflector.ts';
import { createObject, getObject, type KubeRequest, replaceObject } from './request.ts';
import type { ServedKind } from './served-kind.ts';

/** What a holder writes into the Lease. */
export interface LeaseContent {
  /** Name of the replica that holds it; `''` where nobody does. */
  readonly holder: string;
  /** Tells two processes of one name apart, such as two lives of one container; `''` where nobody holds it. */
  readonly process: string;
  /** Where the holder takes deliveries. */
  readonly address: string | undefined;
  /** Milliseconds that it is held from each renewal on. */
  readonly durationMs: number;
  /** How often it went from one holder to another. */
  readonly transitions: number;
  /** Milliseconds since 1970, by the holder's clock: for people, nothing is judged by them. */
  readonly acquiredAt: number;
  readonly renewedAt: number;
}

/** A Lease as the API server holds it. */
export interface Lease extends LeaseContent {
  readonly resourceVersion: string;
  /** Everything in it, so that a write keeps what others have added. */
  readonly object: KubeObject;
}

/** Reads and writes one Lease. All but `watch` throw `Fault`, `object-conflict` where the Lease is not, or no more, as it was seen. */
export interface LeaseAccess {
  readonly name: string;
  /** undefined where there is none. */
  read(): Promise<Lease | undefined>;
  /** Fails where there is one. */
  create(content: LeaseContent): Promise<Lease>;
  /** Fails where it changed since `over` was read. */
  update(over: Lease, content: LeaseContent): Promise<Lease>;
  /** Tells of each change; the answer ends it. */
  watch(listener: LeaseListener): () => void;
  close(): Promise<void>;
}

export interface LeaseListener {
  /** The Lease as it is now; undefined when it has gone. May come late, and twice. */
  changed(lease: Lease | undefined): void;
  /** Whether changes are told just now. */
  following(isFollowing: boolean): void;
}

/** The kind of Lease, as API servers serve it. */
export const leases: ServedKind = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  scope: 'Namespaced',
  verbs: [],
};
const manager = 'mooring';
const processAnnotation = 'mooring/process';
const addressAnnotation = 'mooring/address';

/**
 * The Lease of this name. Its requests have connections of their own, so that neither a full pool nor a server that holds back other requests costs the
 * lead; each is sent once, since its sender knows better when to try again.
 */
export function openLease(
  connection: Connection,
  place: { readonly namespace: string; readonly name: string },
  context: KubeContext,
): LeaseAccess {
  const { namespace, name } = place;
  const key = { group: leases.group, kind: leases.kind, namespace, name };
  const client = createClient(connection, context, ownServer);
  const send = async (request: KubeRequest): Promise<Lease> => {
    try {
      return readLease((await client.send({ ...request, attempts: 1 })) as KubeObject);
    } catch (thrown) {
      if (!(thrown instanceof Fault) || thrown.data['httpStatus'] !== 403) throw thrown;
      const advice = `let the operator's account get, list, watch, create and update leases of coordination.k8s.io in ${namespace}`;
      throw new Fault('cluster-refused', `${thrown.message}: ${advice}`, thrown.data, thrown);
    }
  };
  const how = { how: 'replace', validate: true } as const;
  return {
    name,
    async read() {
      try {
        return await send(getObject(leases, key));
      } catch (thrown) {
        if (thrown instanceof Fault && thrown.code === 'object-missing') return undefined;
        throw thrown;
      }
    },
    create: (content) => {
      const object = leaseOf(
        { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { namespace, name } },
        content,
      );
      return send({ ...createObject(leases, object, how), query: { fieldManager: manager } });
    },
    update: (over, content) => {
      const { uid = '', resourceVersion = '' } = over.object.metadata;
      const request = replaceObject(leases, leaseOf(over.object, content), { uid, resourceVersion }, how);
      return send({ ...request, query: { fieldManager: manager } });
    },
    watch(listener) {
      const selection = { namespace, metadataOnly: false, fieldSelector: `metadata.name=${name}` };
      let listed: Lease | undefined;
      const reflector = startReflector(client, leases, selection, context, {
        seen: (object) => {
          listed = readLease(object);
          listener.changed(listed);
        },
        gone: () => listener.changed(undefined),
        listBegan: () => {
          listed = undefined;
        },
        listEnded: () => {
          if (listed === undefined) listener.changed(undefined);
        },
        live: () => listener.following(true),
        failing: () => listener.following(false),
      });
      return () => reflector.stop();
    },
    close: () => client.close(),
  };
}

/** Reads a Lease that anybody may have written: what is missing or wrong counts as not held, and for as long as client-go's default. */
export function readLease(object: KubeObject): Lease {
  const { annotations, resourceVersion = '' } = object.metadata;
  const time = (field: string): number => Date.parse(textAt(object, 'spec', field) ?? '') || 0;
  const seconds = numberAt(object, 'spec', 'leaseDurationSeconds') ?? 0;
  return {
    holder: textAt(object, 'spec', 'holderIdentity') ?? '',
    process: annotations?.[processAnnotation] ?? '',
    address: annotations?.[addressAnnotation],
    durationMs: (seconds > 0 ? seconds : 15) * 1_000,
    transitions: numberAt(object, 'spec', 'leaseTransitions') ?? 0,
    acquiredAt: time('acquireTime'),
    renewedAt: time('renewTime'),
    resourceVersion,
    object,
  };
}

function leaseOf(over: KubeObject, content: LeaseContent): KubeObject {
  const { [processAnnotation]: _process, [addressAnnotation]: _address, ...others } = over.metadata.annotations ?? {};
  const annotations = {
    ...others,
    ...(content.process !== '' && { [processAnnotation]: content.process }),
    ...(content.address !== undefined && { [addressAnnotation]: content.address }),
  };
  return {
    ...over,
    metadata: { ...over.metadata, annotations },
    spec: {
      holderIdentity: content.holder,
      leaseDurationSeconds: content.durationMs / 1_000,
      acquireTime: microTime(content.acquiredAt),
      renewTime: microTime(content.renewedAt),
      leaseTransitions: content.transitions,
    },
  };
}

/** `MicroTime` of the Kubernetes API: RFC 3339 with six digits of a second. */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
