import { copyJson, isJsonObject, listAt, objectAt } from '@mooring/operator/model/json.ts';
import type { KubeObject } from '@mooring/renderer-contract';
import type { Cluster } from '../cluster/cluster.ts';

/** One object that Git asks for in several ways, and what others do to it. */
export interface Story {
  readonly path: string;
  /** What commits ask for, one after the other. */
  readonly wishes: readonly KubeObject[];
  readonly edits: readonly Edit[];
}

/** One write of somebody else; refusals are theirs. `choice` is 0 or 1. */
export interface Edit {
  readonly name: string;
  readonly run: (choice: number, live: KubeObject | undefined) => Promise<unknown>;
}

type Api = Pick<Cluster['api'], 'call'>;

const merge = 'application/merge-patch+json';
const strategic = 'application/strategic-merge-patch+json';
const server = 'application/apply-patch+yaml';
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';
const tracking = 'argocd.argoproj.io/tracking-id';

/** What can be done to an object of any kind. `part(choice)` is some of its content, `other(choice)` the same with other values. */
function common(
  api: Api,
  path: string,
  wish: KubeObject,
  part: (choice: number) => Readonly<Record<string, unknown>>,
): readonly Edit[] {
  const collection = path.slice(0, path.lastIndexOf('/'));
  const patch = (body: unknown, type = merge, query = '') =>
    api.call('PATCH', `${path}${query}`, body, { contentType: type });
  const { apiVersion, kind, metadata } = wish;
  const named = { apiVersion, kind, metadata: { name: metadata.name } };
  const applied = (manager: string, body: Readonly<Record<string, unknown>>, force = true): Promise<unknown> =>
    patch({ ...named, ...body }, server, `?fieldManager=${manager}&force=${force}`);
  const put = async (change: (object: Record<string, unknown>) => void): Promise<unknown> => {
    const live = (await api.call('GET', path)) as Record<string, unknown>;
    change(live);
    delete (live['metadata'] as Record<string, unknown>)['resourceVersion'];
    return api.call('PUT', `${path}?fieldManager=put`, live);
  };
  const label = (value: string | null) => ({ metadata: { labels: { tier: value } } });
  return [
    { name: 'label', run: (choice) => patch(label(choice === 0 ? 'web' : 'edge')) },
    { name: 'label off and on', run: (choice) => patch(label(choice === 0 ? null : 'web')) },
    { name: 'note', run: (choice) => patch({ metadata: { annotations: { note: `${choice}` } } }) },
    {
      name: 'tracking',
      run: (choice) =>
        patch({
          metadata: { annotations: { [tracking]: choice === 0 ? null : (metadata.annotations?.[tracking] ?? null) } },
        }),
    },
    {
      name: 'finalizer',
      run: (choice) => patch({ metadata: { finalizers: choice === 0 ? null : ['example.com/held'] } }),
    },
    { name: 'status', run: (choice) => patch({ status: { observedGeneration: choice } }, merge, '/status') },
    { name: 'merge patch', run: (choice) => patch(part(choice), merge, '?fieldManager=patch') },
    { name: 'apply of another', run: (choice) => applied('hand', part(choice)) },
    { name: 'apply of another that is not forced', run: (choice) => applied('shy', part(choice), false) },
    { name: 'another gives up', run: () => applied('hand', {}) },
    {
      name: 'kubectl apply',
      run: (choice) => {
        const body = { ...part(choice), ...named };
        const annotations = { [lastApplied]: `${JSON.stringify(body)}\n` };
        return patch(
          { ...body, metadata: { ...named.metadata, annotations } },
          strategic,
          '?fieldManager=kubectl-client-side-apply',
        );
      },
    },
    {
      name: 'put',
      run: (choice) =>
        put((live) => {
          for (const [field, value] of Object.entries(part(choice)))
            live[field] = isJsonObject(value) && isJsonObject(live[field]) ? { ...live[field], ...value } : value;
        }),
    },
    {
      name: 'deletion, or made by hand',
      run: async (_, live) => {
        if (live === undefined) return api.call('POST', `${collection}?fieldManager=maker`, wish);
        if ((live.metadata.finalizers ?? []).length > 0) await patch({ metadata: { finalizers: null } });
        return api.call('DELETE', path);
      },
    },
  ];
}

/** A Deployment: lists with keys, lists without, empty values, a scale of its own. */
export function deploymentStory(api: Api, base: KubeObject): Story {
  const namespace = base.metadata.namespace ?? '';
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${base.metadata.name}`;
  const labels = { app: base.metadata.name };
  const wish = (replicas: number, container: object, pod: object = {}): KubeObject => ({
    ...base,
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'web', ...container }], ...pod } },
    },
  });
  const wishes = [
    wish(0, { image: 'web:1', env: [{ name: 'A', value: '1' }], ports: [{ name: 'http', containerPort: 80 }] }),
    wish(0, {
      image: 'web:2',
      env: [
        { name: 'B', value: '' },
        { name: 'A', value: '2' },
      ],
      args: [],
    }),
    // The same in another order, which variables that refer to earlier ones depend on.
    wish(0, {
      image: 'web:2',
      env: [
        { name: 'A', value: '2' },
        { name: 'B', value: '' },
      ],
      args: [],
    }),
    wish(
      1,
      { image: 'web:1', ports: [{ name: 'http', containerPort: 81 }], command: ['run', ''] },
      { automountServiceAccountToken: false, tolerations: [{ key: 'a', operator: 'Exists' }], hostNetwork: false },
    ),
  ];
  const first = wishes[0] as KubeObject;
  const patch = (body: unknown, type = strategic, target = path) =>
    api.call('PATCH', target, body, { contentType: type });
  const pod = (fields: object): object => ({ spec: { template: { spec: fields } } });
  const container = (fields: object): object => pod({ containers: [{ name: 'web', ...fields }] });
  const items = async (change: (container: Record<string, unknown>) => void): Promise<unknown> => {
    const live = (await api.call('GET', path)) as Record<string, unknown>;
    const [web] = listAt(objectAt(live, 'spec', 'template', 'spec'), 'containers');
    change(web as Record<string, unknown>);
    delete (live['metadata'] as Record<string, unknown>)['resourceVersion'];
    return api.call('PUT', `${path}?fieldManager=editor`, live);
  };
  return {
    path,
    wishes,
    edits: [
      ...common(api, path, first, (choice) => ({ spec: { replicas: choice, minReadySeconds: choice } })),
      { name: 'image', run: (choice) => patch(container({ image: `web:${choice + 1}` })) },
      { name: 'env', run: (choice) => patch(container({ env: [{ name: 'A', value: `${choice + 1}` }] })) },
      { name: 'env of another', run: (choice) => patch(container({ env: [{ name: 'Z', value: `${choice}` }] })) },
      { name: 'env off', run: (choice) => patch(container({ env: [{ name: choice ? 'A' : 'Z', $patch: 'delete' }] })) },
      { name: 'env turned', run: () => items((web) => (web['env'] = [...listAt(web, 'env')].reverse())) },
      {
        name: 'env emptied',
        run: () =>
          items((web) => {
            delete web['env'];
          }),
      },
      {
        name: 'port renamed',
        run: (choice) =>
          items((web) => {
            web['ports'] = [{ name: choice ? 'http' : 'web', containerPort: 80 + choice }];
          }),
      },
      { name: 'token', run: (choice) => patch(pod({ automountServiceAccountToken: choice ? null : false })) },
      {
        name: 'toleration',
        run: (choice) => patch(pod({ tolerations: choice ? null : [{ key: 'b', operator: 'Exists' }] })),
      },
      { name: 'command', run: (choice) => patch(container({ command: choice ? null : ['run', 'x'] })) },
      { name: 'scale', run: (choice) => patch({ spec: { replicas: choice } }, merge, `${path}/scale`) },
    ],
  };
}

/** A Service: fields that the server fills in, and a list with a key of two fields. */
export function serviceStory(api: Api, base: KubeObject): Story {
  const path = `/api/v1/namespaces/${base.metadata.namespace}/services/${base.metadata.name}`;
  const wish = (ports: readonly object[], spec: object = {}): KubeObject => ({
    ...base,
    spec: { selector: { app: 'web' }, ports, ...spec },
  });
  const wishes = [
    wish([{ name: 'http', port: 80 }]),
    wish(
      [
        { name: 'http', port: 80, targetPort: 8080 },
        { name: 'admin', port: 81 },
      ],
      { publishNotReadyAddresses: false },
    ),
    wish([{ name: 'web', port: 80 }], { sessionAffinity: 'ClientIP', publishNotReadyAddresses: true }),
  ];
  const first = wishes[0] as KubeObject;
  const patch = (body: unknown, type = strategic) => api.call('PATCH', path, body, { contentType: type });
  return {
    path,
    wishes,
    edits: [
      ...common(api, path, first, (choice) => ({ spec: { selector: { app: choice ? 'web' : 'other' } } })),
      { name: 'port', run: (choice) => patch({ spec: { ports: [{ port: 80, targetPort: choice ? 80 : 8080 }] } }) },
      { name: 'port of another', run: (choice) => patch({ spec: { ports: [{ port: 82, name: `p${choice}` }] } }) },
      { name: 'port renamed', run: (choice) => patch({ spec: { ports: [{ name: `n${choice}`, port: 80 }] } }, merge) },
      { name: 'affinity', run: (choice) => patch({ spec: { sessionAffinity: choice ? 'None' : 'ClientIP' } }, merge) },
      {
        name: 'selector',
        run: (choice) => patch({ spec: { selector: { app: choice ? null : 'web', also: 'x' } } }, merge),
      },
    ],
  };
}

/** A ConfigMap: maps whose values may be empty, and that may go. */
export function configMapStory(api: Api, base: KubeObject): Story {
  const path = `/api/v1/namespaces/${base.metadata.namespace}/configmaps/${base.metadata.name}`;
  const wishes = [
    { ...base, data: { a: '1', b: '' } },
    { ...base, data: { a: '2' }, binaryData: { c: 'AA==' } },
    { ...base, data: {}, immutable: false },
  ];
  const first = wishes[0] as KubeObject;
  const patch = (body: unknown) => api.call('PATCH', path, body, { contentType: merge });
  return {
    path,
    wishes,
    edits: [
      ...common(api, path, first, (choice) => ({ data: { a: `${choice + 1}` } })),
      { name: 'value', run: (choice) => patch({ data: { a: choice ? '1' : null } }) },
      { name: 'empty value', run: (choice) => patch({ data: { b: choice ? '' : null } }) },
      { name: 'all values', run: (choice) => patch({ data: choice ? null : { a: '1', b: '', z: '' } }) },
      { name: 'bytes', run: (choice) => patch({ binaryData: choice ? null : { c: 'AA==' } }) },
    ],
  };
}

/** All that an apply may change of an object: without what the server and its controllers write, and without owners and status. */
export function ofPeople(object: KubeObject | undefined): unknown {
  if (object === undefined) return undefined;
  const { status: _, metadata, ...content } = copyJson(object);
  const {
    labels,
    annotations: { 'deployment.kubernetes.io/revision': __, ...annotations } = {},
    finalizers,
  } = metadata;
  return { ...content, metadata: { labels, annotations, finalizers } };
}

/** The fields that our applies own, each as the path to it. */
export function appliedFields({ metadata }: KubeObject): ReadonlySet<string> {
  const own = metadata.managedFields?.find(
    ({ manager, operation }) => manager === 'argocd-controller' && operation === 'Apply',
  );
  const fields = new Set<string>();
  const walk = (tree: unknown, path: string): void => {
    if (!isJsonObject(tree) || Object.keys(tree).length === 0) fields.add(path);
    else for (const [step, inner] of Object.entries(tree)) walk(inner, `${path}/${step}`);
  };
  if (own !== undefined) walk(own.fieldsV1, '');
  return fields;
}
