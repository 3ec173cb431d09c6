{{/* Pods that run once: hooks of voters, the test, and load. */}}

{{/* Metadata of such a pod: (dict "root" $ "component" "load" "is" (dict "frontdesk/clients" "true")). */}}
{{- define "frontdesk.jobLabels" -}}
{{ include "frontdesk.labels" (list .root .component) }}
{{ toYaml .is }}
{{- with .root.Values.jobs.podLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The part of such a pod's spec that stands beside its containers. */}}
{{- define "frontdesk.jobBase" -}}
restartPolicy: Never
serviceAccountName: {{ include "frontdesk.serviceAccount" . }}
automountServiceAccountToken: false
{{- if not .Values.hostUsers }}
hostUsers: false
{{- end }}
enableServiceLinks: false
securityContext:
  {{- include "frontdesk.podSecurity" . | nindent 2 }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.jobs.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.jobs.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.jobs.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
