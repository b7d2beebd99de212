{{- /* A scalar as text. Numbers of values are floats to Helm, which prints large ones as 1e+06. */ -}}
{{- define "mooring.text" -}}
{{- if kindIs "invalid" . -}}
{{- else if and (kindIs "float64" .) (eq . (floor .)) -}}
{{- int64 . -}}
{{- else -}}
{{- toString . -}}
{{- end -}}
{{- end -}}

{{- /* A map with every value as text, for annotations and the data of ConfigMaps. */ -}}
{{- define "mooring.texts" -}}
{{- $texts := dict -}}
{{- range $key, $value := . -}}
{{- if not (kindIs "invalid" $value) -}}
{{- $_ := set $texts $key (include "mooring.text" $value) -}}
{{- end -}}
{{- end -}}
{{- with $texts -}}
{{- toYaml . -}}
{{- end -}}
{{- end -}}

{{- /* The same in base64, for the data of Secrets; without what is empty. */ -}}
{{- define "mooring.secretTexts" -}}
{{- $texts := dict -}}
{{- range $key, $value := . -}}
{{- with include "mooring.text" $value -}}
{{- $_ := set $texts $key (b64enc .) -}}
{{- end -}}
{{- end -}}
{{- with $texts -}}
{{- toYaml . -}}
{{- end -}}
{{- end -}}

{{- /* `annotations:` of several maps, the last one wins; nothing where they are empty. */ -}}
{{- define "mooring.annotations" -}}
{{- $all := dict -}}
{{- range . -}}
{{- $all = mergeOverwrite $all (deepCopy .) -}}
{{- end -}}
{{- with include "mooring.texts" $all -}}
annotations:
{{- . | nindent 2 }}
{{- end -}}
{{- end -}}

{{- /* What Mooring may do in its own cluster. */ -}}
{{- define "mooring.rbacMode" -}}
{{- default (ternary "cluster-admin" "namespaced" .Values.createClusterRoles) .Values.rbac.mode -}}
{{- end -}}

{{- /* With the mode `namespaced`: where Mooring may deploy to, joined by commas. */ -}}
{{- define "mooring.rbacNamespaces" -}}
{{- .Values.rbac.namespaces | default (list (include "mooring.namespace" .)) | uniq | join "," -}}
{{- end -}}

{{- define "mooring.ingressHost" -}}
{{- tpl .Values.server.ingress.hostname . | default .Values.global.domain -}}
{{- end -}}

{{- /* Paths of values that were given and have no effect, one a line. */ -}}
{{- define "mooring.ignored" -}}
{{- $values := .Values -}}
{{- range list "applicationSet" "apiVersionOverrides" "commitServer" "createAggregateRoles" "dex" "externalRedis" "kubeVersionOverride" "notifications" "openshift" "redis" "redis-ha" "redisSecretInit" "repoServer" }}
{{- if index $values . }}
{{ . }}
{{- end }}
{{- end }}
{{- range $key, $_ := omit $values.server "ingress" }}
server.{{ $key }}
{{- end }}
{{- range list "aws" "controller" "gke" }}
{{- if index $values.server.ingress . }}
server.ingress.{{ . }}
{{- end }}
{{- end }}
{{- /* What is not checked by the schema, since it may be meant for another chart. */ -}}
{{- range $key, $value := omit $values.global "additionalLabels" "addPrometheusAnnotations" "affinity" "deploymentAnnotations" "deploymentLabels" "deploymentStrategy" "domain" "dualStack" "env" "extraVolumeMounts" "extraVolumes" "hostAliases" "image" "imagePullSecrets" "logging" "networkPolicy" "nodeSelector" "podAnnotations" "podLabels" "priorityClassName" "revisionHistoryLimit" "runtimeClassName" "securityContext" "tolerations" "topologySpreadConstraints" }}
{{- if $value }}
global.{{ $key }}
{{- end }}
{{- end }}
{{- range list "cmp" "gpg" "styles" }}
{{- if index $values.configs . }}
configs.{{ . }}
{{- end }}
{{- end }}
{{- range list "containerPorts" "dynamicClusterDistribution" "heartbeatTime" "statefulsetAnnotations" "statefulsetLabels" "vpa" }}
{{- if index $values.controller . }}
controller.{{ . }}
{{- end }}
{{- end }}
{{- if include "mooring.isArgoImage" . }}
{{ ternary "controller.image" "global.image" (ne $values.controller.image.repository "") }} (it is Argo CD's)
{{- end }}
{{- end -}}

{{- /* Keys of configs.cm and configs.params that are given and not read, one a line. */ -}}
{{- define "mooring.unread" -}}
{{- $known := include "mooring.settings" . | fromJson -}}
{{- $configs := .Values.configs -}}
{{- range $place := list "cm" "params" }}
{{- range $key, $value := omit (index $configs $place) "create" "annotations" }}
{{- $best := dict "key" "" "class" "unknown" "about" "no key of Argo CD 3.6" "harmless" list -}}
{{- range index $known $place -}}
{{- if eq .key $key -}}
{{- $best = . -}}
{{- else if and (hasSuffix "*" .key) (hasPrefix (trimSuffix "*" .key) $key) (gt (len .key) (len $best.key)) (ne $best.key $key) -}}
{{- $best = . -}}
{{- end -}}
{{- end -}}
{{- $text := include "mooring.text" $value | trim -}}
{{- if and $text (ne $best.class "read") (not (has $text $best.harmless)) }}
configs.{{ $place }}.{{ $key }} ({{ $best.class }}): {{ $best.about }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}
