import { applicationCrd, appProjectCrd, type CustomResourceDefinition, sampleOf } from '@mooring/crds';
import { Fault } from '../../model/fault.ts';
import type { Problem } from '../../world/readiness.ts';
import type { KubeClient } from '../kube/client.ts';
import { createObject, plainGet } from '../kube/request.ts';
import { kinds, resourceName } from './kinds.ts';
import type { Purpose } from './permissions.ts';

/** What is wrong with the CustomResourceDefinitions. */
export interface DefinitionsReport {
  readonly problems: readonly Problem[];
  /** Whether the operator can work all the same: a field that is missing is only lost where somebody uses it. */
  readonly usable: boolean;
}

const group = 'argoproj.io';
const version = 'v1alpha1';
const install =
  'install those of this version (kubectl apply --server-side --force-conflicts -f crds/application.yaml -f crds/appproject.yaml)';
/** Fields that are named of those that are missing. */
const fieldsNamed = 5;

interface Resources {
  readonly resources?: readonly { readonly name: string; readonly namespaced: boolean }[];
}

/**
 * Compares what the API server serves with what Mooring needs. To `operate`, fields are compared too, by what the server says to a dry run of an
 * object that has them all, where the account may create one. Throws `Fault` where the server cannot be asked.
 */
export async function lookAtDefinitions(
  client: KubeClient,
  namespace: string,
  purpose: Purpose,
): Promise<DefinitionsReport> {
  const served = await getOrNothing<Resources>(client, `/apis/${group}/${version}`);
  if (served === undefined) return unusable([await notServed(client)]);
  const problems = [kinds.applications, kinds.projects].flatMap(({ plural, kind }) => {
    const name = resourceName({ plural, group });
    const found = served.resources?.find((resource) => resource.name === plural);
    if (found === undefined) return [missing(`the cluster does not serve ${kind} (${name})`)];
    if (!found.namespaced) return [other(`${name} is not namespaced in this cluster`)];
    if (served.resources?.some((resource) => resource.name === `${plural}/status`) && plural === 'applications')
      return [other(`${name} has a status subresource, so that what Mooring and Argo CD write of the status is lost`)];
    return [];
  });
  if (problems.length > 0) return unusable(problems);
  if (purpose === 'inspect') return { problems: [], usable: true };
  const poorer = await Promise.all([
    lacking(client, applicationCrd, namespace),
    lacking(client, appProjectCrd, namespace),
  ]);
  return { problems: poorer.flat(), usable: true };
}

async function notServed(client: KubeClient): Promise<Problem> {
  const known = await getOrNothing<{ readonly versions?: readonly { readonly version: string }[] }>(
    client,
    `/apis/${group}`,
  );
  const others = known?.versions?.map((one) => one.version).join(', ') ?? '';
  if (others !== '') return other(`the cluster serves ${group} only as ${others}, not as ${version}`);
  return missing(`the cluster does not serve Applications and AppProjects (${group}/${version})`);
}

async function lacking(client: KubeClient, crd: CustomResourceDefinition, namespace: string): Promise<Problem[]> {
  const [served] = crd.spec.versions;
  const apiVersion = `${group}/${version}`;
  const sample = sampleOf(served?.schema.openAPIV3Schema ?? {}) as Readonly<Record<string, unknown>>;
  const object = {
    ...sample,
    apiVersion,
    kind: crd.spec.names.kind,
    metadata: { name: 'mooring-field-check', namespace },
  };
  const kind = crd.spec.names.kind === kinds.applications.kind ? kinds.applications : kinds.projects;
  try {
    await client.send(createObject(kind, object, { how: 'create', validate: true, dryRun: true }));
    return [];
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.code === 'cluster-unreachable') throw thrown;
    // Any other refusal (no right to create, a policy of the cluster) says nothing about the fields.
    const fields = [...thrown.message.matchAll(/unknown field "([^"]+)"/g)].map(([, field]) => field ?? '');
    if (fields.length === 0) return [];
    const named = fields.slice(0, fieldsNamed).join(', ');
    const more = fields.length > fieldsNamed ? ` and ${fields.length - fieldsNamed} more` : '';
    return [other(`${crd.metadata.name} is of another version: it does not know ${named}${more}`)];
  }
}

async function getOrNothing<Answer>(client: KubeClient, path: string): Promise<Answer | undefined> {
  try {
    return (await client.send(plainGet(path))) as Answer;
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === 'object-missing') return undefined;
    throw thrown;
  }
}

function missing(what: string): Problem {
  return { reason: 'CRDsMissing', message: `${what}: ${install}` };
}

function other(what: string): Problem {
  return { reason: 'CRDsOfAnotherVersion', message: `${what}: ${install}` };
}

function unusable(problems: readonly Problem[]): DefinitionsReport {
  return { problems, usable: false };
}
