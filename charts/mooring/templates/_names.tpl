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
app.kubernetes.io/name: {{ include "mooring.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- /* Labels of pods: of a list with the root and maps of more labels. The last one wins, but never over the selector. */ -}}
{{- define "mooring.podLabels" -}}
{{- $root := first . -}}
{{- $labels := dict
  "app.kubernetes.io/component" $root.Values.controller.name
  "app.kubernetes.io/part-of" "argocd"
  "app.kubernetes.io/version" (include "mooring.version" $root)
-}}
{{- range prepend (rest .) $root.Values.global.additionalLabels -}}
{{- $labels = mergeOverwrite $labels (deepCopy .) -}}
{{- end -}}
{{- toYaml (mergeOverwrite $labels (include "mooring.selectorLabels" $root | fromYaml)) -}}
{{- end -}}

{{- /* Labels of every other object, of the same list. `part-of` is what Argo CD's tools look for. */ -}}
{{- define "mooring.labels" -}}
{{- $root := first . -}}
{{- $chart := printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" -}}
{{- $helm := dict "helm.sh/chart" $chart "app.kubernetes.io/managed-by" $root.Release.Service -}}
{{- toYaml (merge (include "mooring.podLabels" . | fromYaml) $helm) -}}
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
