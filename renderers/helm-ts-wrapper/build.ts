import { buildEngine, type Patch } from '@mooring/go-wasm/build';
import { warmUp } from './warm-up.ts';

/** Version of `k8s.io/client-go` in go/go.mod: what Helm takes its default Kubernetes version from. */
const clientGo = 'v0.37.1';

/** What `.Capabilities.APIVersions` holds without a cluster, in Helm's order: the groups that client-go knows. */
const apiVersions =
  `v1 admissionregistration.k8s.io/v1 admissionregistration.k8s.io/v1alpha1 admissionregistration.k8s.io/v1beta1
internal.apiserver.k8s.io/v1alpha1 apps/v1 apps/v1beta1 apps/v1beta2 authentication.k8s.io/v1 authentication.k8s.io/v1alpha1
authentication.k8s.io/v1beta1 authorization.k8s.io/v1 authorization.k8s.io/v1beta1 autoscaling/v1 autoscaling/v2 batch/v1 batch/v1beta1
certificates.k8s.io/v1 certificates.k8s.io/v1beta1 certificates.k8s.io/v1alpha1 coordination.k8s.io/v1alpha2 coordination.k8s.io/v1beta1
coordination.k8s.io/v1 discovery.k8s.io/v1 discovery.k8s.io/v1beta1 events.k8s.io/v1 events.k8s.io/v1beta1 extensions/v1beta1
flowcontrol.apiserver.k8s.io/v1 flowcontrol.apiserver.k8s.io/v1beta1 flowcontrol.apiserver.k8s.io/v1beta2 flowcontrol.apiserver.k8s.io/v1beta3
lifecycle.k8s.io/v1alpha1 networking.k8s.io/v1 networking.k8s.io/v1beta1 node.k8s.io/v1 node.k8s.io/v1alpha1 node.k8s.io/v1beta1 policy/v1
policy/v1beta1 rbac.authorization.k8s.io/v1 rbac.authorization.k8s.io/v1beta1 rbac.authorization.k8s.io/v1alpha1 resource.k8s.io/v1
resource.k8s.io/v1beta2 resource.k8s.io/v1beta1 resource.k8s.io/v1alpha3 scheduling.k8s.io/v1alpha3 scheduling.k8s.io/v1beta1
scheduling.k8s.io/v1 storage.k8s.io/v1beta1 storage.k8s.io/v1 storage.k8s.io/v1alpha1 storagemigration.k8s.io/v1 storagemigration.k8s.io/v1beta1
apiextensions.k8s.io/v1beta1 apiextensions.k8s.io/v1`.split(/\s+/);

/** Helm without a Kubernetes client and without HTTP: what a template cannot reach here need not be in the module, which is then 5 times smaller. */
const patches: readonly Patch[] = [
  {
    package: 'helm.sh/helm/v4/internal/version',
    file: 'clientgo.go',
    content: `package version

func K8sIOClientGoModVersion() (string, error) { return "${clientGo}", nil }
`,
  },
  {
    package: 'helm.sh/helm/v4/pkg/chart/common',
    file: 'capabilities.go',
    edits: [
      { find: '\t"k8s.io/client-go/kubernetes/scheme"\n', replace: '' },
      { find: '\tapiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"\n', replace: '' },
      { find: '\tapiextensionsv1beta1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1beta1"\n', replace: '' },
      { find: '\t"testing"\n', replace: '' },
      { find: 'if testing.Testing() {', replace: 'if false {' },
      {
        find: /(?<=func allKnownVersions\(\) VersionSet \{\n)[^}]*\{[^}]*\}[^}]*(?=\n\})/,
        replace: `\treturn VersionSet{${apiVersions.map((version) => JSON.stringify(version)).join(', ')}}`,
      },
    ],
  },
  {
    package: 'helm.sh/helm/v4/pkg/engine',
    file: 'lookup_func.go',
    content: `package engine

import "context"

// Without a cluster, the lookup function finds nothing; this is what is left for engine.go to refer to.
type (
	noConfig                 struct{}
	ClientProvider           interface{}
	clientProviderFromConfig struct{ config *noConfig }
	lookupFunc               = func(apiversion, resource, namespace, name string) (map[string]any, error)
)

func newLookupFunction(context.Context, ClientProvider) lookupFunc {
	return func(string, string, string, string) (map[string]any, error) { return map[string]any{}, nil }
}
`,
  },
  {
    package: 'helm.sh/helm/v4/pkg/engine',
    file: 'engine.go',
    edits: [
      { find: '\t"k8s.io/client-go/rest"\n', replace: '' },
      { find: 'func New(config *rest.Config)', replace: 'func New(config *noConfig)' },
      { find: 'values common.Values, config *rest.Config)', replace: 'values common.Values, config *noConfig)' },
    ],
  },
  {
    package: 'helm.sh/helm/v4/pkg/chart/common/util',
    file: 'jsonschema.go',
    edits: [
      { find: '\t"context"\n', replace: '' },
      { find: '\t"crypto/tls"\n', replace: '' },
      { find: '\t"net/http"\n', replace: '' },
      { find: '\t"time"\n', replace: '' },
      { find: '\t"helm.sh/helm/v4/internal/version"\n', replace: '' },
      {
        find: /\/\/ HTTPURLLoader implements[\s\S]*?(?=\/\/ ValidateAgainstSchema checks)/,
        replace: `type refusingLoader struct{}

func (refusingLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("the schema refers to %s: there is no network here, put that schema into the chart's own", url)
}

func newHTTPURLLoader() refusingLoader { return refusingLoader{} }

`,
      },
      { find: '"file":  jsonschema.FileLoader{},', replace: '"file":  refusingLoader{},' },
    ],
  },
  {
    // Keys are made by the host: 4,096 bits take 5 to 11 s here, and some charts want several.
    package: 'github.com/Masterminds/sprig/v3',
    file: 'crypto.go',
    edits: [{ find: '\t"crypto/rsa"\n', replace: '\trsa "mooring.dev/helm/keys"\n' }],
  },
  {
    package: 'helm.sh/helm/v4/pkg/chart/loader/archive',
    file: 'archive.go',
    edits: [
      { find: '\t"net/http"\n', replace: '' },
      { find: 'http.DetectContentType(buffer)', replace: '"application/octet-stream"' },
    ],
  },
];

await buildEngine({
  name: 'helm',
  folder: new URL('./', import.meta.url),
  patches,
  warmUp,
  linkerVariables: { 'helm.sh/helm/v4/internal/version.version': 'v4.3.1' },
});
