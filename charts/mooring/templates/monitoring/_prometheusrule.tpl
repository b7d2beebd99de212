{{- /* All of a PrometheusRule but its spec. */ -}}
{{- define "mooring.prometheusRule" -}}
{{- $rules := .context.Values.controller.metrics.rules -}}
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: {{ include "mooring.fullname" .context }}-{{ .name }}
  namespace: {{ $rules.namespace | default (include "mooring.namespace" .context) | quote }}
  labels:
    {{- include "mooring.labels" (list .context $rules.selector $rules.additionalLabels) | nindent 4 }}
  {{- with include "mooring.annotations" (list $rules.annotations) }}
  {{- . | nindent 2 }}
  {{- end }}
{{- end -}}
