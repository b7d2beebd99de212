{{- /* Environment of the container. A name twice would be refused by server-side apply: of several, the last one stays. */ -}}
{{- define "mooring.env" -}}
{{- $own := list
  (dict "name" "POD_NAME" "valueFrom" (dict "fieldRef" (dict "fieldPath" "metadata.name")))
  (dict "name" "POD_NAMESPACE" "valueFrom" (dict "fieldRef" (dict "fieldPath" "metadata.namespace")))
  (dict "name" "POD_IP" "valueFrom" (dict "fieldRef" (dict "fieldPath" "status.podIP")))
  (dict "name" "SSL_CERT_FILE" "value" "/etc/ssl/certs/ca-certificates.crt")
-}}
{{- range list "address" "attrs" "headers" "insecure" "sample.ratio" -}}
{{- $name := printf "ARGOCD_APPLICATION_CONTROLLER_OTLP_%s" (upper . | replace "." "_") -}}
{{- $from := dict "name" "argocd-cmd-params-cm" "key" (printf "otlp.%s" .) "optional" true -}}
{{- $own = append $own (dict "name" $name "valueFrom" (dict "configMapKeyRef" $from)) -}}
{{- end -}}
{{- $all := concat $own .Values.global.env .Values.controller.env -}}
{{- $kept := list -}}
{{- range $index, $entry := $all -}}
{{- $isLast := true -}}
{{- range slice $all (int (add1 $index)) -}}
{{- if eq .name $entry.name -}}
{{- $isLast = false -}}
{{- end -}}
{{- end -}}
{{- if $isLast -}}
{{- $kept = append $kept $entry -}}
{{- end -}}
{{- end -}}
{{- toYaml $kept -}}
{{- end -}}

{{- /* Annotations that change, and so replace the pods, with what a process reads only once. */ -}}
{{- define "mooring.checksums" -}}
{{- $tracing := dict -}}
{{- range $key, $value := .Values.configs.params -}}
{{- if hasPrefix "otlp." $key -}}
{{- $_ := set $tracing $key $value -}}
{{- end -}}
{{- end -}}
{{- with $tracing }}
checksum/otlp: {{ toJson . | sha256sum }}
{{- end }}
{{- end -}}

{{- /* Where a port is listened at: every address of the pod. */ -}}
{{- define "mooring.listen" -}}
{{- ternary "[::]" "0.0.0.0" (has "IPv6" (index . 0).Values.global.dualStack.ipFamilies) }}:{{ index . 1 -}}
{{- end -}}

{{- define "mooring.probe" -}}
httpGet:
  path: {{ .httpPath }}
  port: probes
failureThreshold: {{ .failureThreshold }}
initialDelaySeconds: {{ .initialDelaySeconds }}
periodSeconds: {{ .periodSeconds }}
successThreshold: {{ .successThreshold | default 1 }}
timeoutSeconds: {{ .timeoutSeconds }}
{{- end -}}

{{- /* `controller.affinity`, or what `global.affinity` asks for. */ -}}
{{- define "mooring.affinity" -}}
{{- if .Values.controller.affinity -}}
{{- toYaml .Values.controller.affinity -}}
{{- else -}}
{{- $asked := .Values.global.affinity -}}
{{- $own := dict "matchLabels" (include "mooring.selectorLabels" . | fromYaml) -}}
{{- $nodes := dict "labelSelector" $own "topologyKey" "kubernetes.io/hostname" -}}
{{- $zones := dict "labelSelector" $own "topologyKey" "topology.kubernetes.io/zone" -}}
{{- $affinity := dict -}}
{{- if eq $asked.podAntiAffinity "soft" -}}
{{- $_ := set $affinity "podAntiAffinity" (dict "preferredDuringSchedulingIgnoredDuringExecution" (list (dict "weight" 100 "podAffinityTerm" $nodes))) -}}
{{- else if eq $asked.podAntiAffinity "hard" -}}
{{- $preferred := list (dict "weight" 100 "podAffinityTerm" $zones) -}}
{{- $_ := set $affinity "podAntiAffinity" (dict "preferredDuringSchedulingIgnoredDuringExecution" $preferred "requiredDuringSchedulingIgnoredDuringExecution" (list $nodes)) -}}
{{- end -}}
{{- with $asked.nodeAffinity.matchExpressions -}}
{{- $term := dict "matchExpressions" . -}}
{{- if eq $asked.nodeAffinity.type "soft" -}}
{{- $_ := set $affinity "nodeAffinity" (dict "preferredDuringSchedulingIgnoredDuringExecution" (list (dict "weight" 1 "preference" $term))) -}}
{{- else if eq $asked.nodeAffinity.type "hard" -}}
{{- $_ := set $affinity "nodeAffinity" (dict "requiredDuringSchedulingIgnoredDuringExecution" (dict "nodeSelectorTerms" (list $term))) -}}
{{- end -}}
{{- end -}}
{{- with $affinity -}}
{{- toYaml . -}}
{{- end -}}
{{- end -}}
{{- end -}}
