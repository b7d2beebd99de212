import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Application } from '@mooring/crds';
import { parse, parseAllDocuments } from 'yaml';
import { applicationsPath } from '../harness/applications.ts';
import { openShell, type Shell } from '../harness/helm.ts';
import type { AnyObject } from '../harness/kube.ts';
import { patienceMs, type Stage, startStage } from '../harness/stage.ts';

const samples = fileURLToPath(new URL('../samples', import.meta.url));
const writer = 'argocd-controller';
const tracking = 'argocd.argoproj.io/tracking-id';
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

let stage: Stage;
let shell: Shell;

before(async () => {
  stage = await startStage({ name: 'e2e-take-over', node: 'none' });
  shell = await openShell(stage.cluster, () => {});
});
after(() => stage?.close());

/** What the programs of Helm and Kubernetes make of an Application's source: nothing of ours takes part. */
async function render({ metadata, spec }: Application): Promise<AnyObject[]> {
  const { path = '', helm, directory } = spec.source ?? {};
  const folder = `${samples}/${path}`;
  const { namespace } = spec.destination;
  const parameters = helm?.parameters?.map(({ name, value }) => `--set ${name}=${value}`) ?? [];
  const files = helm?.valueFiles?.map((file) => `--values ${folder}/${file}`) ?? [];
  const text = await shell.run(
    helm !== undefined
      ? `helm template ${helm.releaseName ?? metadata.name} ${folder} --include-crds --namespace ${namespace} ${[...parameters, ...files].join(' ')}`
      : directory !== undefined
        ? `find ${folder} -name '*.yaml' -exec sh -c 'echo ---; cat "$1"' - {} ';'`
        : `kubectl kustomize ${folder}`,
  );
  return parseAllDocuments(text).flatMap((document) => (document.toJS() as AnyObject | null) ?? []);
}

function annotationsOf({ metadata }: AnyObject): Record<string, string> {
  return (metadata['annotations'] ?? {}) as Record<string, string>;
}

/** As Argo CD leaves it: with its tracking id, but for CustomResourceDefinitions, which never have one. */
function asTracked(app: Application, object: AnyObject): AnyObject {
  const { apiVersion, kind, metadata } = object;
  if (kind === 'CustomResourceDefinition') return object;
  const group = apiVersion?.includes('/') ? apiVersion.split('/')[0] : '';
  const namespace = metadata.namespace ?? app.spec.destination.namespace;
  const id = `${app.metadata.name}:${group}/${kind}:${namespace}/${metadata.name}`;
  const annotations = { ...annotationsOf(object), [tracking]: id };
  return { ...object, metadata: { ...metadata, ...(namespace && { namespace }), annotations } };
}

async function applyAsArgo(objects: readonly AnyObject[]): Promise<void> {
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
  await shell.run(`kubectl apply --field-manager=${writer} -f - <<'LIST'\n${list}\nLIST`);
}

/** What Argo CD has applied, by kind, namespace and name, without what the controllers of the cluster tell of it. */
async function appliedObjects(): Promise<Map<string, AnyObject>> {
  const kinds = (await shell.run('kubectl api-resources --verbs=list -o name')).trim().split('\n').join(',');
  const list = JSON.parse(await shell.run(`kubectl get ${kinds} -A -o json --show-managed-fields`)) as {
    readonly items: AnyObject[];
  };
  const objects = new Map<string, AnyObject>();
  for (const { status, ...object } of list.items) {
    // The status of an Application is what changes, and with it the version.
    if (annotationsOf(object)[lastApplied] === undefined || object.kind === 'Application') continue;
    const { resourceVersion, ...metadata } = object.metadata;
    const entries = metadata['managedFields'] as readonly { readonly subresource?: string }[];
    const managedFields = entries.filter(({ subresource }) => subresource !== 'status');
    const { namespace = '', name } = metadata;
    objects.set(`${object.kind} ${namespace}/${name}`, { ...object, metadata: { ...metadata, managedFields } });
  }
  return objects;
}

/** The objects once nobody changes them: controllers of the cluster add annotations of their own. */
async function atRest(): Promise<Map<string, AnyObject>> {
  for (let before = await appliedObjects(); ; ) {
    await sleep(1_500);
    const now = await appliedObjects();
    if (JSON.stringify([...now]) === JSON.stringify([...before])) return now;
    before = now;
  }
}

test('what Argo CD has applied is taken over without a change to any object', async () => {
  const repository = await stage.git.createRepository('shop');
  const commit = await repository.commit({ from: samples, message: 'The shop' });
  const placeholder = 'https://git.example.com/shop.git';
  const rootText = await shell.run(`cat ${samples}/root.yaml`);
  const root = parse(rootText.replaceAll(placeholder, repository.url)) as Application;
  const children = (await render(root)).map((object) => asTracked(root, object));
  const apps = children.filter(({ kind }) => kind === 'Application') as unknown as Application[];
  const namespaces = ['dev', 'staging', 'prod'].map((environment) => `kubectl create namespace shop-${environment}`);
  await shell.run(namespaces.join('\n'));
  await applyAsArgo(children.filter(({ kind }) => kind !== 'Application'));
  await shell.run('kubectl wait --for=condition=Established crd/promotions.shop.example.com');
  const ofApps: AnyObject[] = [];
  for (const app of apps) for (const object of await render(app)) ofApps.push(asTracked(app, object));
  await applyAsArgo(ofApps);
  const before = await atRest();

  await applyAsArgo(apps as unknown as AnyObject[]);
  await stage.kube.create(applicationsPath, root);
  await stage.view.until(
    'the shop is settled',
    (all) => all.size === apps.length + 1 && [...all.values()].every(({ status }) => status?.sync?.revision === commit),
    patienceMs,
  );
  await stage.view.until(
    'nothing is under way',
    (all) => [...all.values()].every((app) => app.operation === undefined && app.status?.sync?.status === 'Synced'),
    patienceMs,
  );
  const now = await atRest();
  assert.ok(before.size > 100, `${before.size} objects`);
  assert.deepEqual([...now.keys()].sort(), [...before.keys()].sort());
  const changed = [...now].filter(([id, object]) => JSON.stringify(object) !== JSON.stringify(before.get(id)));
  for (const [id, object] of changed) assert.deepEqual(object, before.get(id), id);
  for (const app of stage.view.all()) {
    assert.equal(app.status?.operationState, undefined, `${app.metadata.name} was not synced`);
  }
});
