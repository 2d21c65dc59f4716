{{/* What a schema cannot say: values that contradict each other. */}}
{{- define "scoring.check" -}}
{{- $fullname := include "scoring.fullname" . -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $fullname) -}}
{{- fail (printf "fullnameOverride: expected a name that Services may have (a letter, then letters, digits and dashes), got %s" $fullname) -}}
{{- end -}}
{{- range list "commonLabels" "podLabels" -}}
{{- $field := . -}}
{{- range $label := list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/version" "app.kubernetes.io/managed-by" "helm.sh/chart" -}}
{{- if hasKey (get $.Values $field | default dict) $label -}}
{{- fail (printf "%s: %s is set by the chart, and selectors need it: expected other labels" $field $label) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $set := dict -}}
{{- range include "scoring.ownEnv" . | fromYamlArray -}}{{- $_ := set $set .name true -}}{{- end -}}
{{- $own := deepCopy $set -}}
{{- $flags := dict -}}
{{- range .Files.Get "files/computed.yaml" | fromYamlArray -}}
{{- $computed := .always -}}
{{- range .variables }}{{ if hasKey $own . }}{{ $computed = true }}{{ end }}{{ end -}}
{{- if $computed -}}
{{- range .variables }}{{ $_ := set $own . true }}{{ end -}}
{{- range .flags }}{{ $_ := set $flags . true }}{{ end -}}
{{- end -}}
{{- end -}}
{{- range .Values.args -}}
{{- $flag := regexFind "^--[^=]+" . | trimPrefix "--" | replace "_" "-" -}}
{{- if hasKey $flags $flag -}}
{{- fail (printf "args: --%s is set by another value of the chart, or its times follow from it: expected it in options or there" $flag) -}}
{{- end -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- if or (hasKey $own .name) (hasKey $.Values.options .name) (hasKey $.Values.secretOptions .name) -}}
{{- fail (printf "extraEnv: %s is set by another value of the chart, or its times follow from it: expected it in options or there" .name) -}}
{{- end -}}
{{- end -}}
{{- range $name, $_ := .Values.options -}}
{{- if hasKey $set $name -}}
{{- fail (printf "options: %s is computed from another value of the chart: expected it there" $name) -}}
{{- end -}}
{{- end -}}
{{- $ports := dict -}}
{{- $given := list (list "port" .Values.port) -}}
{{- if .Values.metrics.port }}{{ $given = append $given (list "metrics.port" .Values.metrics.port) }}{{ end -}}
{{- if .Values.grpc.enabled }}{{ $given = append $given (list "grpc.port" .Values.grpc.port) }}{{ end -}}
{{- if .Values.tls.existingSecret }}{{ $given = append $given (list "tls.healthPort" .Values.tls.healthPort) }}{{ end -}}
{{- range $given -}}
{{- $number := index . 1 | toString -}}
{{- if hasKey $ports $number -}}
{{- fail (printf "%s and %s are both %s: expected ports that differ" (get $ports $number) (index . 0) $number) -}}
{{- end -}}
{{- $_ := set $ports $number (index . 0) -}}
{{- end -}}
{{- if and (eq (toString .Values.rollout.maxSurge | trimSuffix "%") "0") (eq (toString .Values.rollout.maxUnavailable | trimSuffix "%") "0") -}}
{{- fail "rollout: expected maxSurge or maxUnavailable above 0, got 0 for both: no pod could be replaced" -}}
{{- end -}}
{{- with .Values.autoscaling -}}
{{- if and (ne .mode "none") (gt (int64 .minReplicas) (int64 .maxReplicas)) -}}
{{- fail (printf "autoscaling: expected minReplicas of at most maxReplicas, got %d and %d" (int64 .minReplicas) (int64 .maxReplicas)) -}}
{{- end -}}
{{- $resources := $.Values.resources | default dict -}}
{{- $cpu := or (hasKey ($resources.requests | default dict) "cpu") (hasKey ($resources.limits | default dict) "cpu") -}}
{{- if and (eq .mode "hpa") (not .hpa.metrics) (not $cpu) -}}
{{- fail "autoscaling.mode hpa: expected resources.requests.cpu, of which hpa.cpuUtilization is a percentage" -}}
{{- end -}}
{{- if and (eq .mode "keda") .keda.query (not .keda.threshold) -}}
{{- fail "autoscaling.keda: expected a threshold beside a query" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.tls.clientCa (not .Values.tls.existingSecret) -}}
{{- fail "tls.clientCa: expected tls.existingSecret, which has ca.crt" -}}
{{- end -}}
{{- $paths := dict -}}
{{- range include "scoring.volumeMounts" . | fromYamlArray -}}
{{- if hasKey $paths .mountPath -}}
{{- fail (printf "%s and %s are both mounted at %s: expected paths that differ" (get $paths .mountPath) .name .mountPath) -}}
{{- end -}}
{{- $_ := set $paths .mountPath .name -}}
{{- end -}}
{{- if eq .Values.mode "deployment" -}}
{{- include "scoring.checkMonitor" . -}}
{{- else -}}
{{- if or (ne .Values.autoscaling.mode "none") .Values.metrics.serviceMonitor.enabled -}}
{{- fail "mode kserve: expected neither autoscaling.mode nor metrics.serviceMonitor: KServe scales by kserve.scaleMetric, and names the page of metrics" -}}
{{- end -}}
{{- if gt (int64 .Values.kserve.minReplicas) (int64 .Values.kserve.maxReplicas) -}}
{{- fail (printf "kserve: expected minReplicas of at most maxReplicas, got %d and %d" (int64 .Values.kserve.minReplicas) (int64 .Values.kserve.maxReplicas)) -}}
{{- end -}}
{{- if or .Values.tls.existingSecret .Values.grpc.enabled (ne .Values.model.from "image") -}}
{{- fail "mode kserve: expected neither tls, grpc nor model.from: KServe's gateway has the certificate, sends HTTP, and mounts kserve.storageUri" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A ServiceMonitor whose requests the server refuses: then no alert fires, and nothing scales. */}}
{{- define "scoring.checkMonitor" -}}
{{- with .Values.metrics.serviceMonitor -}}
{{- if and .enabled $.Values.tls.existingSecret (not .tlsConfig) -}}
{{- fail "metrics.serviceMonitor.tlsConfig: expected ca and serverName with TLS, because no certificate has the addresses of pods" -}}
{{- end -}}
{{- if and .enabled $.Values.tls.clientCa (not (or (hasKey .tlsConfig "cert") (hasKey .tlsConfig "certFile"))) -}}
{{- fail "metrics.serviceMonitor.tlsConfig: expected cert and keySecret with tls.clientCa, because every client shows a certificate" -}}
{{- end -}}
{{- if and .enabled (get $.Values.options "METRICS_KEY_REQUIRED") (not .keySecret.name) -}}
{{- fail "metrics.serviceMonitor.keySecret: expected a key with METRICS_KEY_REQUIRED" -}}
{{- end -}}
{{- end -}}
{{- end -}}
