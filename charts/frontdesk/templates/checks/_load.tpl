{{/* The name in the gateways' certificate, whatever address the harness dials. */}}
{{- define "frontdesk.harnessTlsName" -}}
{{- .Values.tests.tls.name | default (include "frontdesk.backendHostname" .) -}}
{{- end }}

{{/* The ConfigMap with the authority of that certificate, if one is named. */}}
{{- define "frontdesk.harnessCaConfigMap" -}}
{{- .Values.tests.tls.caConfigMap | default .Values.routes.gatewayApi.backendTls.caConfigMap -}}
{{- end }}

{{/* The volume with that authority; never with the certificate's key. */}}
{{- define "frontdesk.harnessAuthority" -}}
{{- with include "frontdesk.harnessCaConfigMap" . -}}
configMap:
  name: {{ . }}
  items:
    - { key: ca.crt, path: ca.crt }
{{- else -}}
# Empty where the secret has none: an issuer that everybody knows gives none.
secret:
  secretName: {{ include "frontdesk.publicTlsSecret" . }}
  optional: true
  defaultMode: 0440
  items:
    - { key: ca.crt, path: ca.crt }
{{- end }}
{{- end }}

{{/* Whom the harness trusts: variables that its TLS library reads. */}}
{{- define "frontdesk.harnessTrust" -}}
{{- if include "frontdesk.harnessCaConfigMap" . -}}
- name: SSL_CERT_FILE
  value: /tls/authority/ca.crt
{{- else -}}
# The authorities in the image, and the one in the secret if there is one.
- name: SSL_CERT_FILE
  value: /etc/ssl/certs/ca-certificates.crt
- name: SSL_CERT_DIR
  value: /tls/authority
{{- end }}
{{- end }}

{{/*
A pod that makes a site and accounts of its own and points the load harness at the
gateways: (dict "root" $ "component" … "site" … "agents" … "args" (list …)).
The site is a tenant like any other; chats of other sites are not touched.
*/}}
{{- define "frontdesk.loadPod" -}}
{{- $tlsName := ternary (include "frontdesk.harnessTlsName" .root) "" .root.Values.gateway.tls.enabled -}}
{{- $scheme := ternary "https" "http" .root.Values.gateway.tls.enabled -}}
{{- include "frontdesk.jobBase" .root }}
initContainers:
  - name: accounts
    image: {{ include "frontdesk.image" .root | quote }}
    imagePullPolicy: {{ .root.Values.image.pullPolicy }}
    terminationMessagePolicy: FallbackToLogsOnError
    args:
      - cluster
      - demo
      - --site={{ .site }}
      - --origin={{ $scheme }}://{{ $tlsName | default (include "frontdesk.name" (list .root "gateway")) }}
      - --extra-agents={{ int .agents }}
      # New ones each time; they are only ever in this pod's memory.
      - --reset-passwords
      - --print=json
      - --to=/accounts/accounts.json
    env:
      - name: FRONTDESK_CONFIG
        value: /etc/frontdesk/cluster.toml
      {{- include "frontdesk.secretEnv" (list .root "load") | trim | nindent 6 }}
    resources:
      requests: { cpu: 50m, memory: 64Mi }
      limits: { memory: 256Mi }
    securityContext:
      {{- include "frontdesk.containerSecurity" .root | nindent 6 }}
    volumeMounts:
      {{- include "frontdesk.volumeMounts" (list .root "load") | nindent 6 }}
      - name: accounts
        mountPath: /accounts
containers:
  - name: load
    image: {{ include "frontdesk.image" .root | quote }}
    imagePullPolicy: {{ .root.Values.image.pullPolicy }}
    terminationMessagePolicy: FallbackToLogsOnError
    command: [frontdesk-loadtest]
    args:
      - run
      - /usr/share/frontdesk/scenarios/{{ .scenario }}.toml
      - --target={{ $scheme }}://{{ include "frontdesk.name" (list .root "gateway-pods") }}:{{ int .root.Values.ports.clients }}
      # Every gateway by itself: visitors go round them, so most chats have two.
      - --each-address
      {{- with $tlsName }}
      - --tls-name={{ . }}
      {{- end }}
      - --allow-remote
      - --accounts=/accounts/accounts.json
      - --plain
      {{- range .args }}
      - {{ . | quote }}
      {{- end }}
    {{- if $tlsName }}
    env:
      {{- include "frontdesk.harnessTrust" .root | nindent 6 }}
    {{- end }}
    resources:
      {{- toYaml .resources | nindent 6 }}
    securityContext:
      {{- include "frontdesk.containerSecurity" .root | nindent 6 }}
    volumeMounts:
      - name: accounts
        mountPath: /accounts
      {{- if $tlsName }}
      - name: authority
        mountPath: /tls/authority
        readOnly: true
      {{- end }}
      {{- if .claim }}
      - name: results
        mountPath: /results
      {{- end }}
volumes:
  {{- include "frontdesk.volumes" (list .root "load") | nindent 2 }}
  - name: accounts
    emptyDir:
      medium: Memory
      sizeLimit: 16Mi
  {{- if $tlsName }}
  - name: authority
    {{- include "frontdesk.harnessAuthority" .root | nindent 4 }}
  {{- end }}
  {{- with .claim }}
  - name: results
    persistentVolumeClaim:
      claimName: {{ . }}
  {{- end }}
{{- end }}
