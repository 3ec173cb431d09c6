{{/* Where names are asked for, over UDP and, for long answers, TCP. */}}
{{- define "frontdesk.dnsPorts" -}}
{{- range .Values.networkPolicy.egress.dnsPorts }}
- { port: {{ int . }}, protocol: UDP }
- { port: {{ int . }}, protocol: TCP }
{{- end }}
{{- end }}
