{{/* Where the certificates between processes are. */}}
{{- define "frontdesk.internalTlsSecret" -}}
{{- ternary .Values.internalTls.existingSecret (include "frontdesk.name" (list $ "internal-tls")) (eq .Values.internalTls.mode "existingSecret") -}}
{{- end }}

{{/* Where the certificate for clients is. */}}
{{- define "frontdesk.publicTlsSecret" -}}
{{- .Values.gateway.tls.existingSecret | default (include "frontdesk.name" (list $ "public-tls")) -}}
{{- end }}

{{/* A certificate: (dict "root" $ "name" … "issuer" … "names" … "usages" … "life" …). */}}
{{- define "frontdesk.certificate" -}}
apiVersion: cert-manager.io/v1
kind: Certificate
metadata:
  name: {{ include "frontdesk.name" (list .root .name) }}
  labels:
    {{- include "frontdesk.labels" (list .root .name) | nindent 4 }}
spec:
  secretName: {{ include "frontdesk.name" (list .root .name) }}
  # The binary reads renewed files by itself within seconds; nothing restarts.
  {{- with .life }}
  duration: {{ .duration }}
  renewBefore: {{ .renewBefore }}
  {{- end }}
  privateKey:
    algorithm: ECDSA
    size: 256
    rotationPolicy: Always
  usages:
    {{- toYaml .usages | nindent 4 }}
  dnsNames:
    {{- toYaml .names | nindent 4 }}
  issuerRef:
    {{- toYaml .issuer | nindent 4 }}
{{- end }}
