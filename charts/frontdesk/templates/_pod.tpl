{{/* What the pods of all roles have in common. */}}

{{/* Of every container. */}}
{{- define "frontdesk.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* Of every pod; the user is the image's, or the cluster's choice. */}}
{{- define "frontdesk.podSecurity" -}}
runAsNonRoot: true
{{- range $field, $id := dict "runAsUser" .Values.runAs.user "runAsGroup" .Values.runAs.group "fsGroup" .Values.runAs.fsGroup }}
{{- if not (kindIs "invalid" $id) }}
{{ $field }}: {{ int64 $id }}
{{- end }}
{{- end }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* Metadata of a role's pods: (list $ "gateway"). */}}
{{- define "frontdesk.podMetadata" -}}
{{- $root := index . 0 -}}
{{- $role := index . 1 -}}
{{- $values := index $root.Values $role -}}
labels:
  {{- include "frontdesk.podLabels" . | nindent 2 }}
  frontdesk/peers: serve
  {{- with $values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  kubectl.kubernetes.io/default-container: {{ $role }}
  # Other settings, other pods; but not for what only other roles go by.
  checksum/settings: {{ include "frontdesk.settingsOf" . | sha256sum }}
  {{- with include "frontdesk.givenAddresses" . }}
  checksum/addresses: {{ sha256sum . }}
  {{- end }}
  {{- with $values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* Addresses in the values that a role has as variables: (list $ "gateway"). */}}
{{- define "frontdesk.givenAddresses" -}}
{{- $root := index . 0 -}}
{{- if include "frontdesk.usesEngine" (list (index . 1) "postgres") }}{{ $root.Values.postgres.url }}{{ end -}}
{{- if include "frontdesk.usesEngine" (list (index . 1) "redis") }}{{ $root.Values.redis.address }}{{ end -}}
{{- end }}

{{/* The part of a pod's spec that stands beside its containers: (list $ "gateway"). */}}
{{- define "frontdesk.podBase" -}}
{{- $root := index . 0 -}}
{{- $role := index . 1 -}}
{{- $values := index $root.Values $role -}}
serviceAccountName: {{ include "frontdesk.serviceAccount" $root }}
automountServiceAccountToken: false
{{- if not $root.Values.hostUsers }}
hostUsers: false
{{- end }}
# Variables such as FRONTDESK_GATEWAY_PORT would be taken for settings.
enableServiceLinks: false
securityContext:
  {{- include "frontdesk.podSecurity" $root | nindent 2 }}
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{ include "frontdesk.spread" . }}
terminationGracePeriodSeconds: {{ $values.gracePeriodSeconds | default $root.Values.gateway.drain.gracePeriodSeconds | int }}
{{- end }}

{{/* Volumes of every role. */}}
{{- define "frontdesk.volumes" -}}
{{- $root := index . 0 -}}
{{- $role := index . 1 -}}
- name: settings
  configMap:
    name: {{ include "frontdesk.name" (list $root "settings") }}
{{- if ne $root.Values.internalTls.mode "none" }}
- name: internal-tls
  secret:
    secretName: {{ include "frontdesk.internalTlsSecret" $root }}
    defaultMode: 0440
{{- end }}
{{- if eq $role "gateway" }}
# A file, not a variable: it is read again when the secret changes.
- name: token-keys
  secret:
    secretName: {{ $root.Values.tokenKeys.existingSecret.name }}
    defaultMode: 0440
    items:
      - key: {{ $root.Values.tokenKeys.existingSecret.key }}
        path: keys
{{- end }}
{{- if and (eq $role "gateway") $root.Values.gateway.tls.enabled }}
- name: public-tls
  secret:
    secretName: {{ include "frontdesk.publicTlsSecret" $root }}
    defaultMode: 0440
{{- end }}
{{- range $engine := list "postgres" "redis" }}
{{- if include "frontdesk.hasEngineTls" (list $root $role $engine) }}
- name: {{ $engine }}-tls
  secret:
    secretName: {{ (index $root.Values $engine).tlsSecret.name }}
    defaultMode: 0440
{{- end }}
{{- end }}
{{- if and (eq $role "gateway") $root.Values.oidc.caSecret.name }}
- name: oidc-ca
  secret:
    secretName: {{ $root.Values.oidc.caSecret.name }}
    defaultMode: 0440
{{- end }}
{{- with dig $role "extraVolumes" list $root.Values.AsMap }}
{{- toYaml . | nindent 0 }}
{{- end }}
{{- with $root.Values.attachments.s3 }}
{{- if and (eq $role "gateway") .existingSecret.name }}
# A file, not a variable: it is read again when the secret changes.
- name: s3-key
  secret:
    secretName: {{ .existingSecret.name }}
    defaultMode: 0440
    items:
      - key: {{ .existingSecret.key }}
        path: credentials
{{- end }}
{{- if and (eq $role "gateway") .caSecret.name }}
- name: s3-ca
  secret:
    secretName: {{ .caSecret.name }}
    defaultMode: 0440
{{- end }}
{{- end }}
{{- end }}

{{/* Whole folders: files that were mounted one by one would never be renewed. */}}
{{- define "frontdesk.volumeMounts" -}}
{{- $root := index . 0 -}}
{{- $role := index . 1 -}}
- name: settings
  mountPath: /etc/frontdesk
  readOnly: true
{{- if ne $root.Values.internalTls.mode "none" }}
- name: internal-tls
  mountPath: /tls/internal
  readOnly: true
{{- end }}
{{- if eq $role "gateway" }}
- name: token-keys
  mountPath: /keys
  readOnly: true
{{- end }}
{{- if and (eq $role "gateway") $root.Values.gateway.tls.enabled }}
- name: public-tls
  mountPath: /tls/public
  readOnly: true
{{- end }}
{{- range $engine := list "postgres" "redis" }}
{{- if include "frontdesk.hasEngineTls" (list $root $role $engine) }}
- name: {{ $engine }}-tls
  mountPath: /tls/{{ $engine }}
  readOnly: true
{{- end }}
{{- end }}
{{- if and (eq $role "gateway") $root.Values.oidc.caSecret.name }}
- name: oidc-ca
  mountPath: /tls/oidc
  readOnly: true
{{- end }}
{{- with dig $role "extraVolumeMounts" list $root.Values.AsMap }}
{{- toYaml . | nindent 0 }}
{{- end }}
{{- with $root.Values.attachments.s3 }}
{{- if and (eq $role "gateway") .existingSecret.name }}
- name: s3-key
  mountPath: /s3
  readOnly: true
{{- end }}
{{- if and (eq $role "gateway") .caSecret.name }}
- name: s3-ca
  mountPath: /tls/s3
  readOnly: true
{{- end }}
{{- end }}
{{- end }}

{{/* Secrets of a role as variables, only those that it uses: (list $ "gateway"). */}}
{{- define "frontdesk.secretEnv" -}}
{{- $root := index . 0 -}}
{{- $role := index . 1 -}}
{{- if include "frontdesk.usesEngine" (list $role "postgres") }}
- name: FRONTDESK_POSTGRES__URL
  valueFrom:
    secretKeyRef:
      name: {{ include "frontdesk.secretName" (list $root $root.Values.postgres "postgres") }}
      key: {{ $root.Values.postgres.existingSecret.key }}
{{- end }}
{{- if include "frontdesk.usesEngine" (list $role "redis") }}
- name: FRONTDESK_REDIS__ADDRESS
  valueFrom:
    secretKeyRef:
      name: {{ include "frontdesk.secretName" (list $root $root.Values.redis "redis") }}
      key: {{ $root.Values.redis.existingSecret.key }}
{{- end }}
{{- if eq $role "gateway" }}
{{- with $root.Values.oidc.existingSecret }}
{{- if .name }}
- name: FRONTDESK_GATEWAY__OIDC__CLIENT_SECRET
  valueFrom:
    secretKeyRef:
      name: {{ .name }}
      key: {{ .key }}
{{- end }}
{{- end }}
{{- end }}
{{- with $root.Values.monitoring.adminToken.existingSecret }}
{{- if and .name (ne $role "load") }}
- name: FRONTDESK_TELEMETRY__ADMIN_TOKEN
  valueFrom:
    secretKeyRef:
      name: {{ .name }}
      key: {{ .key }}
{{- end }}
{{- end }}
{{- end }}

{{/* A role's container: (list $ "gateway"). */}}
{{- define "frontdesk.container" -}}
{{- $root := index . 0 -}}
{{- $role := index . 1 -}}
{{- $values := index $root.Values $role -}}
{{- $presence := include "frontdesk.name" (list $root "presence") -}}
{{- $host := ternary "[$(POD_IP)]" "$(POD_IP)" (eq $root.Values.ipFamily "IPv6") -}}
{{- if eq $role "presence" }}{{ $host = printf "$(POD_NAME).%s.%s.svc.%s" $presence $root.Release.Namespace $root.Values.clusterDomain }}{{ end -}}
name: {{ $role }}
image: {{ include "frontdesk.image" $root | quote }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
# What it said last is in the pod's status: there is no shell to look with.
terminationMessagePolicy: FallbackToLogsOnError
args:
  - {{ $role }}
  - --name=$(POD_NAME)
  - --advertise={{ $host }}:{{ int $root.Values.ports.peers }}
env:
  - name: FRONTDESK_CONFIG
    value: /etc/frontdesk/cluster.toml
  - name: POD_NAME
    valueFrom:
      fieldRef:
        fieldPath: metadata.name
  - name: POD_IP
    valueFrom:
      fieldRef:
        fieldPath: status.podIP
  {{- with include "frontdesk.secretEnv" . | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with $values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with $values.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
ports:
  - name: peers
    containerPort: {{ int $root.Values.ports.peers }}
  - name: health
    containerPort: {{ int $root.Values.ports.health }}
  {{- if eq $role "gateway" }}
  - name: clients
    containerPort: {{ int $root.Values.ports.clients }}
  {{- end }}
# Ten minutes to begin: a voter may have a snapshot to take in, a database may come later.
startupProbe:
  httpGet: { path: /livez, port: health }
  periodSeconds: 5
  failureThreshold: 120
# What this process can do itself; a part that all share must not take all of them out.
readinessProbe:
  httpGet: { path: /readyz, port: health }
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 3
# Answers as long as the process runs: never asks the broker, the database or the group.
livenessProbe:
  httpGet: { path: /livez, port: health }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
{{- if eq $role "gateway" }}
lifecycle:
  preStop:
    # Balancers hear that it goes before it takes nobody in any more.
    sleep:
      seconds: {{ int $root.Values.gateway.drain.preStopSeconds }}
{{- end }}
resources:
  {{- toYaml $values.resources | nindent 2 }}
securityContext:
  {{- include "frontdesk.containerSecurity" $root | nindent 2 }}
volumeMounts:
  {{- include "frontdesk.volumeMounts" . | nindent 2 }}
  {{- if eq $role "presence" }}
  - name: data
    mountPath: /data
  {{- end }}
{{- end }}

{{/* A role's container, and those that somebody put beside it: (list $ "gateway"). */}}
{{- define "frontdesk.containers" -}}
{{- $values := index (index . 0).Values (index . 1) -}}
{{- with $values.extraInitContainers -}}
initContainers:
  {{- toYaml . | nindent 2 }}
{{ end -}}
containers:
  - {{- include "frontdesk.container" . | nindent 4 }}
  {{- with $values.extraContainers }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* A role without state: (list $ "sessions"). */}}
{{- define "frontdesk.deployment" -}}
{{- $root := index . 0 -}}
{{- $role := index . 1 -}}
{{- $values := index $root.Values $role -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "frontdesk.name" . }}
  labels:
    {{- include "frontdesk.labels" . | nindent 4 }}
  {{- with $values.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- if not (and (eq $role "gateway") (ne $root.Values.gateway.autoscaling.kind "none")) }}
  replicas: {{ int $values.replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  minReadySeconds: 10
  progressDeadlineSeconds: 900
  strategy:
    type: RollingUpdate
    rollingUpdate:
      # The new one is there before an old one gives up what it has.
      maxSurge: 1
      maxUnavailable: 0
  selector:
    matchLabels:
      {{- include "frontdesk.selector" . | nindent 6 }}
  template:
    metadata:
      {{- include "frontdesk.podMetadata" . | nindent 6 }}
    spec:
      {{- include "frontdesk.podBase" . | nindent 6 }}
      {{- include "frontdesk.containers" . | nindent 6 }}
      volumes:
        {{- include "frontdesk.volumes" . | nindent 8 }}
{{- end }}
