{{/* What each ingress controller must be told, so that it does not cut long streams. */}}

{{/* Annotations of an Ingress: (list $ "http"), or "grpc". */}}
{{- define "frontdesk.ingressAnnotations" -}}
{{- $root := index . 0 -}}
{{- $grpc := eq (index . 1) "grpc" -}}
{{- $tls := $root.Values.gateway.tls.enabled -}}
{{- $seconds := int $root.Values.routes.ingress.idleTimeoutSeconds -}}
{{- $controller := $root.Values.routes.ingress.controller -}}
{{- if eq $controller "nginx" }}
nginx.ingress.kubernetes.io/proxy-read-timeout: {{ $seconds | quote }}
nginx.ingress.kubernetes.io/proxy-send-timeout: {{ $seconds | quote }}
nginx.ingress.kubernetes.io/proxy-body-size: {{ $root.Values.settings.gateway.attachment_max_bytes | default 10485760 | int64 | toString | quote }}
nginx.ingress.kubernetes.io/backend-protocol: {{ ternary (ternary "GRPCS" "GRPC" $tls) (ternary "HTTPS" "HTTP" $tls) $grpc }}
{{- else if eq $controller "haproxy" }}
haproxy.org/timeout-tunnel: {{ printf "%ds" $seconds }}
haproxy.org/timeout-server: {{ printf "%ds" $seconds }}
{{- if $grpc }}
haproxy.org/server-proto: h2
{{- end }}
{{- if $tls }}
haproxy.org/server-ssl: "true"
{{- end }}
{{- else if eq $controller "alb" }}
alb.ingress.kubernetes.io/target-type: ip
alb.ingress.kubernetes.io/load-balancer-attributes: {{ printf "idle_timeout.timeout_seconds=%d" (min 4000 $seconds) }}
alb.ingress.kubernetes.io/backend-protocol: {{ ternary "HTTPS" "HTTP" $tls }}
alb.ingress.kubernetes.io/backend-protocol-version: {{ ternary "GRPC" "HTTP1" $grpc }}
# The health port speaks plain HTTP/1.1, whatever the targets speak.
alb.ingress.kubernetes.io/healthcheck-protocol: HTTP
alb.ingress.kubernetes.io/healthcheck-port: {{ $root.Values.ports.health | int | toString | quote }}
alb.ingress.kubernetes.io/healthcheck-path: /readyz
{{- end }}
{{- end }}

{{/* Annotations of the service for gRPC. */}}
{{- define "frontdesk.grpcServiceAnnotations" -}}
{{- if and .Values.routes.ingress.enabled (eq .Values.routes.ingress.controller "traefik") }}
traefik.ingress.kubernetes.io/service.serversscheme: {{ ternary "https" "h2c" .Values.gateway.tls.enabled }}
{{- end }}
{{- end }}
