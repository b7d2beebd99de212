{{- define "mooring.subjects" -}}
- kind: ServiceAccount
  name: {{ include "mooring.serviceAccountName" . }}
  namespace: {{ include "mooring.namespace" . | quote }}
{{- end -}}
