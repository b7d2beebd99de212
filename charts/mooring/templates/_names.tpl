{{- define "mooring.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "mooring.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "mooring.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end -}}

{{- /* Name of what stands outside of the own namespace, where another Mooring may have objects too. */ -}}
{{- define "mooring.outsideName" -}}
{{- printf "%s-%s" (include "mooring.fullname" .) (include "mooring.namespace" .) -}}
{{- end -}}

{{- define "mooring.serviceAccountName" -}}
{{- $account := .Values.controller.serviceAccount -}}
{{- default (ternary (include "mooring.fullname" .) "default" $account.create) $account.name -}}
{{- end -}}

{{- /* What never changes in the life of a release: Deployments refuse another selector. */ -}}
{{- define "mooring.selectorLabels" -}}
app.kubernetes.io/name: {{ include "mooring.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- /* Labels of the pods. */ -}}
{{- define "mooring.podLabels" -}}
{{ include "mooring.selectorLabels" . }}
app.kubernetes.io/component: {{ .Values.controller.name }}
app.kubernetes.io/part-of: argocd
app.kubernetes.io/version: {{ include "mooring.version" . | quote }}
{{- with .Values.global.additionalLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* Labels of every object. `part-of` is what Argo CD's tools look for. */ -}}
{{- define "mooring.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "mooring.podLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- /* The tag as a label can hold it. */ -}}
{{- define "mooring.version" -}}
{{- regexReplaceAll "[^-A-Za-z0-9_.]" (include "mooring.tag" .) "-" | trunc 63 | trimAll "-_." -}}
{{- end -}}

{{- /* Whether the values name Argo CD's image, as copies of its values file do: "true" or "". */ -}}
{{- define "mooring.isArgoImage" -}}
{{- $repository := default .Values.global.image.repository .Values.controller.image.repository -}}
{{- if regexMatch "(^|/)argocd$" $repository -}}true{{- end -}}
{{- end -}}

{{- define "mooring.tag" -}}
{{- if include "mooring.isArgoImage" . -}}
{{- .Chart.AppVersion -}}
{{- else -}}
{{- coalesce .Values.controller.image.tag .Values.global.image.tag .Chart.AppVersion -}}
{{- end -}}
{{- end -}}

{{- define "mooring.image" -}}
{{- $repository := default .Values.global.image.repository .Values.controller.image.repository -}}
{{- if include "mooring.isArgoImage" . -}}
{{- $repository = "ghcr.io/mooring-cd/mooring" -}}
{{- end -}}
{{- printf "%s:%s" $repository (include "mooring.tag" .) -}}
{{- end -}}
