{{/* Names and labels. */}}

{{/*
The name all others begin with. Deployments append their role, a hash and a suffix, 26
characters together, and the binary takes process names of 51 bytes: letters, digits, "-".
*/}}
{{- define "frontdesk.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- $full := printf "%s-%s" .Release.Name $name -}}
{{- if contains $name .Release.Name }}{{ $full = .Release.Name }}{{ end -}}
{{- .Values.fullnameOverride | default $full | lower | replace "." "-" | trunc 25 | trimSuffix "-" -}}
{{- end }}

{{/* The name of a role's objects: (list $ "gateway"). */}}
{{- define "frontdesk.name" -}}
{{- printf "%s-%s" (include "frontdesk.fullname" (index . 0)) (index . 1) -}}
{{- end }}

{{/* What selects a component's pods: (list $ "gateway"). Never changes: it is immutable. */}}
{{- define "frontdesk.selector" -}}
app.kubernetes.io/name: {{ (index . 0).Values.nameOverride | default (index . 0).Chart.Name }}
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* What selects the pods of all roles, and no hook, test or engine. */}}
{{- define "frontdesk.selectorOfRoles" -}}
app.kubernetes.io/name: {{ .Values.nameOverride | default .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
frontdesk/peers: serve
{{- end }}

{{/* Labels of every pod: (list $ "gateway"). Not the chart's version, of which no pod is made anew. */}}
{{- define "frontdesk.podLabels" -}}
{{ include "frontdesk.selector" . }}
app.kubernetes.io/version: {{ (index . 0).Values.image.tag | default (index . 0).Chart.AppVersion | trunc 63 | trimAll "-_." | quote }}
app.kubernetes.io/part-of: frontdesk
{{- with (index . 0).Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Labels of every object: (list $ "gateway"). */}}
{{- define "frontdesk.labels" -}}
{{ include "frontdesk.podLabels" . }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
helm.sh/chart: {{ printf "%s-%s" (index . 0).Chart.Name (index . 0).Chart.Version | replace "+" "_" | trunc 63 | trimAll "-_." }}
{{- end }}

{{/* The account of every pod. */}}
{{- define "frontdesk.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (ternary (include "frontdesk.fullname" .) "default" .Values.serviceAccount.create) -}}
{{- end }}

{{/* The image of everything. */}}
{{- define "frontdesk.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Any address of this family, for listeners. */}}
{{- define "frontdesk.anyAddress" -}}
{{ ternary "[::]" "0.0.0.0" (eq .Values.ipFamily "IPv6") }}
{{- end }}

{{/* The address of the voter with an ordinal: (list $ 0). An address, not a Raft id. */}}
{{- define "frontdesk.voterAddress" -}}
{{- $root := index . 0 -}}
{{- $presence := include "frontdesk.name" (list $root "presence") -}}
{{- printf "%s-%d.%s.%s.svc.%s:%d" $presence (int (index . 1)) $presence $root.Release.Namespace $root.Values.clusterDomain (int $root.Values.ports.peers) -}}
{{- end }}

{{/* Whether a role speaks to an engine: (list "gateway" "redis"). */}}
{{- define "frontdesk.usesEngine" -}}
{{- $roles := dict "postgres" (list "sessions" "desk" "gateway" "load") "redis" (list "sessions" "routing" "gateway") -}}
{{- if has (index . 0) (index $roles (index . 1)) }}yes{{ end -}}
{{- end }}

{{/* Whether it does so with certificates: (list $ "gateway" "redis"). */}}
{{- define "frontdesk.hasEngineTls" -}}
{{- if and (include "frontdesk.usesEngine" (list (index . 1) (index . 2))) (index (index . 0).Values (index . 2)).tlsSecret.name }}yes{{ end -}}
{{- end }}

{{/* Where a secret is: (list $ .Values.postgres "postgres"); the release's own when a URL is given. */}}
{{- define "frontdesk.secretName" -}}
{{- (index . 1).existingSecret.name | default (include "frontdesk.name" (list (index . 0) (index . 2))) -}}
{{- end }}
