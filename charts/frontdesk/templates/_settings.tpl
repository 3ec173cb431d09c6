{{/* The settings file: one for all roles. Secrets come from the environment instead. */}}

{{/* A value as TOML. YAML numbers arrive as floats, which the binary would refuse for counts. */}}
{{- define "frontdesk.toml" -}}
{{- if kindIs "map" . -}}
{ {{- range $i, $key := keys . | sortAlpha }}{{ if $i }},{{ end }} {{ $key }} = {{ include "frontdesk.toml" (index $ $key) }}{{ end }} }
{{- else if kindIs "slice" . -}}
[{{ range $i, $item := . }}{{ if $i }}, {{ end }}{{ include "frontdesk.toml" $item }}{{ end }}]
{{- else if kindIs "string" . -}}
{{ toJson . }}
{{- else if kindIs "bool" . -}}
{{ . }}
{{- else if eq (float64 .) (floor .) -}}
{{ printf "%d" (int64 .) }}
{{- else -}}
{{ float64 . }}
{{- end -}}
{{- end }}

{{/* What the chart itself decides, by section: the file must agree with the pods. */}}
{{- define "frontdesk.computed" -}}
{{- $any := include "frontdesk.anyAddress" . -}}
{{- $drain := .Values.gateway.drain -}}
cluster:
  listen: {{ printf "%s:%d" $any (int .Values.ports.peers) | quote }}
  health_listen: {{ printf "%s:%d" $any (int .Values.ports.health) | quote }}
  voters:
    {{- range $ordinal := until (int .Values.presence.initialVoters) }}
    - id: {{ add1 $ordinal }}
      name: {{ include "frontdesk.name" (list $ "presence") }}-{{ $ordinal }}
      address: {{ include "frontdesk.voterAddress" (list $ $ordinal) }}
    {{- end }}
  {{- if ne .Values.internalTls.mode "none" }}
  tls:
    cert: /tls/internal/tls.crt
    key: /tls/internal/tls.key
    ca: /tls/internal/ca.crt
  {{- end }}
gateway:
  listen: {{ printf "%s:%d" (ternary "[::]" $any (hasSuffix "DualStack" .Values.gateway.service.ipFamilyPolicy)) (int .Values.ports.clients) | quote }}
  keys_file: /keys/keys
  max_connections: {{ int .Values.gateway.connectionsPerPod }}
  trusted_proxies: {{ toJson .Values.gateway.trustedProxies }}
  drain_moves_per_second: {{ int $drain.movesPerSecond }}
  drain_deadline_seconds: {{ add (include "frontdesk.evictionSeconds" .) $drain.stragglerSeconds }}
  stop_grace_seconds: {{ int $drain.stopGraceSeconds }}
  {{- if .Values.gateway.tls.enabled }}
  tls:
    cert: /tls/public/tls.crt
    key: /tls/public/tls.key
  {{- end }}
  {{- if .Values.oidc.caSecret.name }}
  oidc:
    ca: /tls/oidc/ca.crt
  {{- end }}
{{- with .Values.attachments.s3 }}
{{- if or .existingSecret.name .caSecret.name }}
attachments:
  s3:
    {{- if .existingSecret.name }}
    credentials_file: /s3/credentials
    {{- end }}
    {{- if .caSecret.name }}
    ca: /tls/s3/ca.crt
    {{- end }}
{{- end }}
{{- end }}
{{- range $engine := list "postgres" "redis" }}
{{- with (index $.Values $engine).tlsSecret }}
{{- if .name }}
{{ $engine }}:
  ca: /tls/{{ $engine }}/ca.crt
  {{- if .clientCertificate }}
  client_cert: /tls/{{ $engine }}/tls.crt
  client_key: /tls/{{ $engine }}/tls.key
  {{- end }}
{{- end }}
{{- end }}
{{- end }}
log: {{ toJson .Values.log }}
{{- end }}

{{/* The file that every pod reads. */}}
{{- define "frontdesk.settings" -}}
{{- include "frontdesk.settingsWithout" (list . list) -}}
{{- end }}

{{/* What of it a role goes by: all but what is named after the others. (list $ "gateway") */}}
{{- define "frontdesk.settingsOf" -}}
{{- $others := without (list "sessions" "queueing" "routing" "desk" "gateway") (index . 1) -}}
{{- include "frontdesk.settingsWithout" (list (index . 0) $others) -}}
{{- end }}

{{/* The file without some sections: (list $ (list "desk")). */}}
{{- define "frontdesk.settingsWithout" -}}
{{- $root := index . 0 -}}
{{- $computed := include "frontdesk.computed" $root | fromYaml -}}
{{- with get $computed "Error" }}{{ fail . }}{{ end -}}
{{- $sections := mergeOverwrite (deepCopy $root.Values.settings) $computed -}}
{{- range index . 1 }}{{ $_ := unset $sections . }}{{ end -}}
# Written by the chart; every pod reads it. Secrets come from the environment.
data = "/data"
{{- range $section := keys $sections | sortAlpha }}
{{- $settings := index $sections $section }}
{{- if $settings }}

[{{ $section }}]
{{- range $key := keys $settings | sortAlpha }}
{{ $key }} = {{ include "frontdesk.toml" (index $settings $key) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
