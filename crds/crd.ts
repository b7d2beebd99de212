import { applicationSchema } from './application.ts';
import { appProjectSchema } from './appproject.ts';
import { apiGroup } from './resource.ts';
import type { Structure } from './schema.ts';

/** A column of `kubectl get`; one with a `priority` above 0 is shown by `-o wide` alone. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string';
  readonly jsonPath: string;
  readonly priority?: number;
}

/** An object of `apiextensions.k8s.io/v1`, as far as it is used here. Plain JSON. */
export interface CustomResourceDefinition {
  readonly apiVersion: 'apiextensions.k8s.io/v1';
  readonly kind: 'CustomResourceDefinition';
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: {
    readonly group: string;
    readonly names: {
      readonly kind: string;
      readonly listKind: string;
      readonly plural: string;
      readonly singular: string;
      readonly shortNames: readonly string[];
    };
    readonly scope: 'Namespaced';
    readonly versions: readonly {
      readonly name: string;
      readonly served: boolean;
      readonly storage: boolean;
      readonly schema: { readonly openAPIV3Schema: Structure };
      readonly additionalPrinterColumns?: readonly PrinterColumn[];
      readonly subresources?: Readonly<Record<string, object>>;
    }[];
  };
}

type Version = CustomResourceDefinition['spec']['versions'][number];

/** A namespaced kind of the group with its one version. The labels are Argo CD's: tools of its users select by them. */
function define(
  kind: string,
  shortNames: readonly string[],
  schema: Structure,
  more: Pick<Version, 'additionalPrinterColumns' | 'subresources'> = {},
): CustomResourceDefinition {
  const singular = kind.toLowerCase();
  const plural = `${singular}s`;
  const name = `${plural}.${apiGroup}`;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name, labels: { 'app.kubernetes.io/name': name, 'app.kubernetes.io/part-of': 'argocd' } },
    spec: {
      group: apiGroup,
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames },
      scope: 'Namespaced',
      versions: [{ name: 'v1alpha1', served: true, storage: true, schema: { openAPIV3Schema: schema }, ...more }],
    },
  };
}

/** Has no status subresource: clients of Argo CD write `status` and `operation` with the rest of the object. */
export const applicationCrd: CustomResourceDefinition = define('Application', ['app', 'apps'], applicationSchema, {
  additionalPrinterColumns: [
    { name: 'Sync Status', type: 'string', jsonPath: '.status.sync.status' },
    { name: 'Health Status', type: 'string', jsonPath: '.status.health.status' },
    { name: 'Revision', type: 'string', jsonPath: '.status.sync.revision', priority: 10 },
    { name: 'Project', type: 'string', jsonPath: '.spec.project', priority: 10 },
  ],
  subresources: {},
});

export const appProjectCrd: CustomResourceDefinition = define('AppProject', ['appproj', 'appprojs'], appProjectSchema);
