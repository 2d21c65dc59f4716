{{/*
Milliseconds of an option, or the server's own default. test/kubernetes/chart.test.ts compares the
defaults with the code, and the grace period with the longest exit.
*/}}
{{- define "scoring.option" -}}
{{- $root := index . 0 -}}
{{- $value := get $root.Values.options (index . 1) -}}
{{- if eq (toString $value) "" -}}{{ index . 2 }}{{- else -}}{{ int64 $value }}{{- end -}}
{{- end -}}

{{- define "scoring.requestsMs" -}}
{{- $deadline := int64 (include "scoring.option" (list . "SCORING_TIMEOUT_MS" 60000)) -}}
{{- if not (kindIs "invalid" .Values.drain.requestsSeconds) -}}
{{- mul .Values.drain.requestsSeconds 1000 -}}
{{- else -}}
{{- $deadline -}}
{{- end -}}
{{- end -}}

{{- define "scoring.drainDelayMs" -}}
{{- mul .Values.drain.delaySeconds 1000 -}}
{{- end -}}

{{- define "scoring.drainTimeoutMs" -}}
{{- $closing := mul .Values.drain.closeSeconds 1000 -}}
{{- add (include "scoring.drainDelayMs" . | int64) (include "scoring.requestsMs" . | int64) $closing -}}
{{- end -}}

{{/* Above the longest exit: the drain, the last delivery, and 6 s for threads and the log. */}}
{{- define "scoring.graceSeconds" -}}
{{- $flush := int64 (include "scoring.option" (list . "MDC_FLUSH_TIMEOUT_MS" 10000)) -}}
{{- $exit := add (include "scoring.drainTimeoutMs" . | int64) $flush 6000 -}}
{{- $reserve := int64 .Values.drain.reserveSeconds -}}
{{- add (int64 .Values.drain.endpointsSeconds) (ceil (divf $exit 1000.0) | int64) $reserve -}}
{{- end -}}

{{/* init() and a second attempt without the warm-up, and a minute for the process. */}}
{{- define "scoring.startSeconds" -}}
{{- $init := int64 (include "scoring.option" (list . "INIT_TIMEOUT_MS" 300000)) -}}
{{- ceil (addf (divf (mul 2 $init) 1000.0) 60) | int64 -}}
{{- end -}}
