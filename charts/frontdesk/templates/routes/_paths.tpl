{{/*
What of a gateway is for the outside. Its /metrics, /readyz and /livez are not, and the
demo shop is not unless it is asked for.
*/}}
{{- define "frontdesk.paths" -}}
- { type: Exact, path: / }
- { type: Exact, path: /openapi.json }
- { type: Prefix, path: /v1 }
- { type: Prefix, path: /auth }
- { type: Prefix, path: /widget }
- { type: Prefix, path: /console }
- { type: Prefix, path: /supervisor }
{{- if .Values.routes.demo }}
- { type: Prefix, path: /demo }
{{- end }}
{{- end }}

{{/* The services of the protocol over gRPC; reflection is not for the outside. */}}
{{- define "frontdesk.grpcServices" -}}
- frontdesk.v1.ChatService
- frontdesk.v1.AuthService
- frontdesk.v1.AdminService
{{- end }}

{{/* The name in the certificate that gateways show to the proxy; a pattern is no name. */}}
{{- define "frontdesk.backendHostname" -}}
{{- $names := list -}}
{{- range concat .Values.gateway.tls.certManager.dnsNames .Values.routes.gatewayApi.hostnames .Values.routes.ingress.hosts -}}
{{- if not (hasPrefix "*." .) }}{{ $names = append $names . }}{{ end -}}
{{- end -}}
{{- .Values.routes.gatewayApi.backendTls.hostname | default (append $names "" | first) -}}
{{- end }}
