{{/* Up at once, down slowly: each pod that goes sends its people elsewhere. */}}
{{- define "frontdesk.scalingBehavior" -}}
{{- with .Values.gateway.autoscaling -}}
scaleUp:
  stabilizationWindowSeconds: 0
  selectPolicy: Max
  policies:
    - type: Percent
      value: 100
      periodSeconds: 60
    - type: Pods
      value: 4
      periodSeconds: 60
scaleDown:
  stabilizationWindowSeconds: {{ int .scaleDownWindowSeconds }}
  selectPolicy: Min
  policies:
    - type: Pods
      value: 1
      periodSeconds: {{ int .scaleDownPeriodSeconds }}
{{- end -}}
{{- end }}
