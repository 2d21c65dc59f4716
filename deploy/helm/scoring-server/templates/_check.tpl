{{/* What a schema cannot say: values that contradict each other. */}}
{{- define "scoring.check" -}}
{{- $own := dict -}}
{{- range include "scoring.ownEnv" . | fromYamlArray -}}{{- $_ := set $own .name true -}}{{- end -}}
{{- range .Values.extraEnv -}}
{{- if or (hasKey $own .name) (hasKey $.Values.options .name) (hasKey $.Values.secretOptions .name) -}}
{{- fail (printf "extraEnv: %s is set by another value of the chart: expected variables of entry scripts" .name) -}}
{{- end -}}
{{- end -}}
{{- range $name, $_ := .Values.options -}}
{{- if hasKey $own $name -}}
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
{{- if and (eq .mode "keda") .keda.query (not .keda.threshold) -}}
{{- fail "autoscaling.keda: expected a threshold beside a query" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.tls.clientCa (not .Values.tls.existingSecret) -}}
{{- fail "tls.clientCa: expected tls.existingSecret, which has ca.crt" -}}
{{- end -}}
{{- if eq .Values.mode "kserve" -}}
{{- if or .Values.tls.existingSecret .Values.grpc.enabled (ne .Values.model.from "image") -}}
{{- fail "mode kserve: expected neither tls, grpc nor model.from: KServe's gateway has the certificate, sends HTTP, and mounts kserve.storageUri" -}}
{{- end -}}
{{- end -}}
{{- end -}}
