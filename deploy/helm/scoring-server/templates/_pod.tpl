{{/* Variables that the chart computes. options and extraEnv must not have them. */}}
{{- define "scoring.ownEnv" -}}
- { name: PORT, value: {{ .Values.port | quote }} }
{{- if and (eq .Values.mode "deployment") (not (hasKey .Values.options "SCORING_PROFILE")) }}
- { name: SCORING_PROFILE, value: plain }
{{- end }}
- { name: SCORING_HOST, value: {{ include "scoring.host" . | quote }} }
- { name: METRICS_PORT, value: {{ .Values.metrics.port | quote }} }
- { name: GRPC_PORT, value: {{ ternary .Values.grpc.port 0 .Values.grpc.enabled | quote }} }
- { name: DRAIN_DELAY_MS, value: {{ include "scoring.drainDelayMs" . | quote }} }
- { name: DRAIN_TIMEOUT_MS, value: {{ include "scoring.drainTimeoutMs" . | quote }} }
{{- if ne .Values.model.from "image" }}
- { name: AZUREML_MODEL_DIR, value: {{ .Values.model.mountPath | quote }} }
{{- end }}
{{- if .Values.gpu.enabled }}
- { name: EXECUTION_PROVIDER, value: {{ .Values.gpu.provider }} }
{{- end }}
{{- if .Values.keys.existingSecret }}
- { name: SCORING_KEYS_FILE, value: /etc/scoring/keys }
{{- end }}
{{- if .Values.tls.existingSecret }}
- { name: TLS_CERT_FILE, value: /etc/scoring/tls/tls.crt }
- { name: TLS_KEY_FILE, value: /etc/scoring/tls/tls.key }
- { name: HEALTH_PORT, value: {{ .Values.tls.healthPort | quote }} }
{{- if .Values.tls.clientCa }}
- { name: TLS_CLIENT_CA_FILE, value: /etc/scoring/tls/ca.crt }
{{- end }}
{{- end }}
{{- if .Values.spool.enabled }}
- { name: MDC_SPILL_DIR, value: {{ .Values.spool.mountPath | quote }} }
{{- end }}
{{- end -}}

{{/* Large numbers of YAML are floats to Helm, which prints them as 1e+08. */}}
{{- define "scoring.userEnv" -}}
{{- range $name, $value := .Values.options }}
{{- $whole := and (kindIs "float64" $value) (eq (floor $value) $value) }}
- { name: {{ $name }}, value: {{ ternary (toString (int64 $value)) (toString $value) $whole | quote }} }
{{- end }}
{{- range $name, $secret := .Values.secretOptions }}
- { name: {{ $name }}, valueFrom: { secretKeyRef: { name: {{ $secret.name | quote }}, key: {{ $secret.key | quote }} } } }
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "scoring.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ int64 .Values.podSecurity.runAsUser }}
runAsGroup: {{ int64 .Values.podSecurity.runAsGroup }}
fsGroup: {{ int64 .Values.podSecurity.fsGroup }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "scoring.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
privileged: false
capabilities: { drop: [ALL] }
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "scoring.resources" -}}
{{- $resources := deepCopy (.Values.resources | default dict) -}}
{{- if .Values.gpu.enabled -}}
{{- $device := dict .Values.gpu.resource (.Values.gpu.count | toString) -}}
{{- $_ := set $resources "limits" (merge (get $resources "limits" | default dict) $device) -}}
{{- $_ := set $resources "requests" (merge (get $resources "requests" | default dict) $device) -}}
{{- end -}}
{{ toYaml $resources }}
{{- end -}}

{{- define "scoring.startupProbe" -}}
{{- $period := int64 .Values.probes.startup.periodSeconds -}}
httpGet: { path: /health/ready, port: {{ include "scoring.probePort" . }} }
periodSeconds: {{ $period }}
timeoutSeconds: {{ .Values.probes.startup.timeoutSeconds }}
failureThreshold: {{ ceil (divf (include "scoring.startSeconds" . | int64) $period) | int64 }}
{{- end -}}

{{- define "scoring.readinessProbe" -}}
httpGet: { path: /health/ready, port: {{ include "scoring.probePort" . }} }
{{ toYaml .Values.probes.readiness }}
{{- end -}}

{{- define "scoring.livenessProbe" -}}
httpGet: { path: /health/live, port: {{ include "scoring.probePort" . }} }
{{ toYaml .Values.probes.liveness }}
{{- end -}}

{{- define "scoring.volumeMounts" -}}
- { name: tmp, mountPath: /tmp }
{{- if .Values.spool.enabled }}
- { name: spool, mountPath: {{ .Values.spool.mountPath | quote }} }
{{- end }}
{{- if ne .Values.model.from "image" }}
- name: model
  mountPath: {{ .Values.model.mountPath | quote }}
  readOnly: true
  {{- if and (eq .Values.model.from "pvc") .Values.model.pvc.subPath }}
  subPath: {{ .Values.model.pvc.subPath | quote }}
  {{- end }}
{{- end }}
{{- if .Values.keys.existingSecret }}
- { name: keys, mountPath: /etc/scoring/keys, readOnly: true }
{{- end }}
{{- if .Values.tls.existingSecret }}
- { name: tls, mountPath: /etc/scoring/tls, readOnly: true }
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "scoring.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: {{ .Values.tmp.sizeLimit }}
    {{- with .Values.tmp.medium }}
    medium: {{ . }}
    {{- end }}
{{- if .Values.spool.enabled }}
- name: spool
  emptyDir: { sizeLimit: {{ .Values.spool.sizeLimit }} }
{{- end }}
{{- if eq .Values.model.from "pvc" }}
- name: model
  persistentVolumeClaim: { claimName: {{ .Values.model.pvc.claimName | quote }}, readOnly: true }
{{- else if eq .Values.model.from "configMap" }}
- name: model
  configMap: { name: {{ .Values.model.configMap.name | quote }} }
{{- else if eq .Values.model.from "ociImage" }}
- name: model
  image: { reference: {{ .Values.model.ociImage.reference | quote }}, pullPolicy: {{ .Values.model.ociImage.pullPolicy }} }
{{- end }}
{{- with .Values.keys.existingSecret }}
- name: keys
  secret: { secretName: {{ . | quote }}, defaultMode: 0440 }
{{- end }}
{{- with .Values.tls.existingSecret }}
- name: tls
  secret: { secretName: {{ . | quote }}, defaultMode: 0440 }
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "scoring.topologySpread" -}}
{{- if .Values.topologySpreadConstraints -}}
{{ toYaml .Values.topologySpreadConstraints }}
{{- else -}}
{{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
- maxSkew: 1
  topologyKey: {{ . }}
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels:
      {{- include "scoring.selector" $ | nindent 6 }}
  matchLabelKeys: [pod-template-hash]
{{- end }}
{{- end }}
{{- end -}}
