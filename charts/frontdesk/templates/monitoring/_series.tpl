{{/* Which series are this release's; (more matchers may follow inside the braces). */}}
{{- define "frontdesk.series" -}}
{namespace="{{ .Release.Namespace }}",job="{{ include "frontdesk.fullname" . }}"}
{{- end }}
