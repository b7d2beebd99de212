import type { WarmUp } from '@mooring/go-wasm';

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - name: web
        image: web:1
        envFrom:
        - configMapRef:
            name: settings
`;

const service = `apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector:
    app: web
  ports:
  - port: 80
`;

const base = `resources:
- deployment.yaml
- service.yaml
configMapGenerator:
- name: settings
  literals:
  - color=blue
labels:
- pairs:
    tier: front
  includeSelectors: true
`;

const overlay = `resources:
- ../base
namespace: front
namePrefix: test-
images:
- name: web
  newTag: "2"
replicas:
- name: web
  count: 2
patches:
- patch: |
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: web
    spec:
      template:
        spec:
          containers:
          - name: web
            resources:
              limits:
                memory: 64Mi
- target:
    kind: Service
  patch: |
    - op: replace
      path: /spec/ports/0/port
      value: 8080
`;

/** A build that takes most of Kustomize's paths once, its OpenAPI schema above all, so that no later build has to. */
export const warmUp: WarmUp = {
  files: {
    'base/kustomization.yaml': base,
    'base/deployment.yaml': deployment,
    'base/service.yaml': service,
    'overlay/kustomization.yaml': overlay,
  },
  request: {
    path: 'overlay',
    edits: { nameSuffix: '-a', images: ['web:3'], commonAnnotations: { by: 'warm-up' } },
    manifestBytes: 1_000_000,
    manifestCount: 100,
  },
};
