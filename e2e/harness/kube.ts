import { createClient, type KubeClient } from '@mooring/operator/adapters/kube/client.ts';
import { fromKubeconfig } from '@mooring/operator/adapters/kube/connect.ts';
import type { KubeRequest } from '@mooring/operator/adapters/kube/request.ts';
import { systemClock, systemRandom } from '@mooring/operator/adapters/time/system.ts';
import { Fault } from '@mooring/operator/model/fault.ts';
import { operatorLimits } from '@mooring/operator/model/limits.ts';

/** An object as the API server answers it. */
export interface AnyObject {
  apiVersion?: string;
  kind?: string;
  metadata: { name: string; namespace?: string; uid?: string; resourceVersion?: string; [field: string]: unknown };
  // biome-ignore lint/suspicious/noExplicitAny: demos and tests read fields of many kinds
  [field: string]: any;
}

/** An observer of its own: it shares no connection and no cache with the operator. */
export interface Kube {
  readonly server: string;
  get(path: string): Promise<AnyObject>;
  /** undefined where there is none. */
  find(path: string): Promise<AnyObject | undefined>;
  list(path: string): Promise<AnyObject[]>;
  create(path: string, object: unknown): Promise<AnyObject>;
  /** Server-side apply under a field manager that is not the operator's. */
  apply(path: string, object: unknown): Promise<AnyObject>;
  merge(path: string, patch: unknown): Promise<AnyObject>;
  remove(path: string): Promise<void>;
  /** Calls back for every object that is there and for each change; the answer stops it. */
  watch(path: string, onEvent: (type: string, object: AnyObject) => void): () => void;
  close(): Promise<void>;
}

const json = 'application/json';

export async function connectKube(kubeconfigPath: string, context?: string): Promise<Kube> {
  const connection = await fromKubeconfig({ path: kubeconfigPath, ...(context !== undefined && { context }) });
  const client = createClient(connection, { clock: systemClock, random: systemRandom, limits: operatorLimits });
  return kubeOf(client);
}

function kubeOf(client: KubeClient): Kube {
  const send = async (
    method: KubeRequest['method'],
    target: string,
    body?: unknown,
    contentType = json,
  ): Promise<AnyObject> => {
    const [path = '', query = ''] = target.split('?');
    const request: KubeRequest = {
      method,
      path,
      query: Object.fromEntries(new URLSearchParams(query)),
      accept: json,
      repeatable: method === 'GET',
      subject: target,
      key: { group: '', kind: '', namespace: '', name: target },
      ...(body !== undefined && { contentType, body: JSON.stringify(body) }),
    };
    return (await client.send(request)) as AnyObject;
  };
  const find = async (path: string): Promise<AnyObject | undefined> => {
    try {
      return await send('GET', path);
    } catch (thrown) {
      if (thrown instanceof Fault && thrown.code === 'object-missing') return undefined;
      throw thrown;
    }
  };
  return {
    server: client.server,
    get: (path) => send('GET', path),
    find,
    async list(path) {
      return ((await send('GET', path)) as unknown as { items: AnyObject[] }).items;
    },
    create: (path, object) => send('POST', path, object),
    apply: (path, object) =>
      send('PATCH', `${path}?fieldManager=mooring-e2e&force=true`, object, 'application/apply-patch+yaml'),
    merge: (path, patch) => send('PATCH', `${path}?fieldManager=mooring-e2e`, patch, 'application/merge-patch+json'),
    async remove(path) {
      try {
        await send('DELETE', path);
      } catch (thrown) {
        if (!(thrown instanceof Fault && thrown.code === 'object-missing')) throw thrown;
      }
    },
    watch(path, onEvent) {
      let stopped = false;
      let close = (): void => {};
      const open = (): void => {
        if (stopped) return;
        close = client.stream(
          { method: 'GET', path, query: { watch: 'true' }, accept: json, repeatable: true, subject: path },
          {
            opened: () => {},
            line(line) {
              const { type, object } = JSON.parse(line) as { type: string; object: AnyObject };
              onEvent(type, object);
            },
            ended: open,
            failed: () => {
              setTimeout(open, 200);
            },
          },
        );
      };
      open();
      return () => {
        stopped = true;
        close();
      };
    },
    close: () => client.close(),
  };
}
