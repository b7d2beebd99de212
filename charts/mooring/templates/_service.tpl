{{- define "mooring.dualStack" -}}
{{- $given := dict -}}
{{- range $key, $value := .Values.global.dualStack -}}
{{- if $value -}}
{{- $_ := set $given $key $value -}}
{{- end -}}
{{- end -}}
{{- with $given -}}
{{- toYaml . -}}
{{- end -}}
{{- end -}}
