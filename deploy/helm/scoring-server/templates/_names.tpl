{{- define "scoring.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* At most 52 characters: Services add -metrics, ReplicaSets a hash. */}}
{{- define "scoring.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains (include "scoring.name" .) .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "scoring.name" .) | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* A Deployment's selector can never change: only these two. */}}
{{- define "scoring.selector" -}}
app.kubernetes.io/name: {{ include "scoring.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "scoring.labels" -}}
{{ include "scoring.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "scoring.meta" -}}
name: {{ include "scoring.fullname" . | quote }}
namespace: {{ .Release.Namespace | quote }}
labels:
  {{- include "scoring.labels" . | nindent 2 }}
{{- end -}}

{{- define "scoring.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "scoring.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "scoring.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ default (printf "%s-%s" $.Chart.AppVersion (ternary "gpu" "cpu" $.Values.gpu.enabled)) .tag }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "scoring.metricsPort" -}}
{{- .Values.metrics.port | default .Values.port -}}
{{- end -}}

{{/* The port of the probes: with TLS the plain one. */}}
{{- define "scoring.probePort" -}}
{{- ternary "health" "http" (not (empty .Values.tls.existingSecret)) -}}
{{- end -}}

{{- define "scoring.host" -}}
{{- with .Values.service -}}
{{- $six := or (has "IPv6" .ipFamilies) (has .ipFamilyPolicy (list "PreferDualStack" "RequireDualStack")) -}}
{{- default (ternary "::" "0.0.0.0" $six) $.Values.host -}}
{{- end -}}
{{- end -}}

{{- define "scoring.ipFamilies" -}}
{{- with .Values.service.ipFamilyPolicy }}
ipFamilyPolicy: {{ . }}
{{- end }}
{{- with .Values.service.ipFamilies }}
ipFamilies: {{ toJson . }}
{{- end }}
{{- end -}}
