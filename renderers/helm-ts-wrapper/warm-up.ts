import type { WarmUp } from '@mooring/go-wasm';

const chart = `apiVersion: v2
name: warm
version: 1.0.0
dependencies:
- name: sub
  version: 1.0.0
  condition: sub.enabled
`;

const schema = `{"type": "object", "properties": {"replicas": {"type": "integer"}}}`;

const functions = `{{- define "warm.name" -}}
{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end -}}
{{- define "warm.labels" -}}
app.kubernetes.io/name: {{ include "warm.name" . }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- end -}}
`;

const deployment = `{{- if .Capabilities.APIVersions.Has "apps/v1" }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "warm.name" . }}
  labels:
    {{- include "warm.labels" . | nindent 4 }}
  annotations:
    checksum: {{ .Files.Get "file.txt" | sha256sum | quote }}
spec:
  replicas: {{ .Values.replicas | default 2 | int }}
  template:
    metadata:
      labels: {{ toYaml (dict "app" "warm") | nindent 8 }}
    spec:
      containers:
      {{- range $i, $name := list "a" "b" }}
      - name: {{ $name }}-{{ $i }}
        image: {{ tpl "{{ .Release.Name }}" $ | quote }}
        env: {{ toJson $.Values.env }}
      {{- end }}
{{- end }}
`;

const hook = `apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-hook
  annotations:
    helm.sh/hook: pre-install
`;

/** A chart that takes most of Helm's paths once, so that no later render has to. */
export const warmUp: WarmUp = {
  files: {
    'warm/Chart.yaml': chart,
    'warm/values.yaml': 'replicas: 1\nenv: []\nsub:\n  enabled: true\n',
    'warm/values.schema.json': schema,
    'warm/file.txt': 'text',
    'warm/templates/_functions.tpl': functions,
    'warm/templates/deployment.yaml': deployment,
    'warm/templates/hook.yaml': hook,
    'warm/charts/sub/Chart.yaml': 'apiVersion: v2\nname: sub\nversion: 1.0.0\n',
    'warm/charts/sub/templates/map.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: sub\ndata:\n  a: b\n',
  },
  request: {
    path: 'warm',
    releaseName: 'warm',
    namespace: 'warm',
    manifestBytes: 1_000_000,
    manifestCount: 100,
    values: { inline: 'replicas: 3', parameters: [{ name: 'env[0].name', value: 'A' }] },
  },
};
