{{/* What must hold before anything is rendered; each says what to change. */}}

{{/* Seconds in which a full gateway has asked everybody to go. */}}
{{- define "frontdesk.evictionSeconds" -}}
{{- ceil (divf .Values.gateway.connectionsPerPod .Values.gateway.drain.movesPerSecond) | int -}}
{{- end }}

{{/* What closing listeners and saying good-bye to the group takes at most. */}}
{{- define "frontdesk.closingSeconds" -}}5{{- end }}

{{- define "frontdesk.checks" -}}
{{- include "frontdesk.checkGatewayDrain" . -}}
{{- include "frontdesk.checkJitter" . -}}
{{- include "frontdesk.checkOwnersDrain" . -}}
{{- include "frontdesk.checkSources" . -}}
{{- include "frontdesk.checkWays" . -}}
{{- end }}

{{- define "frontdesk.checkGatewayDrain" -}}
{{- $drain := .Values.gateway.drain -}}
{{- $evicting := include "frontdesk.evictionSeconds" . | int -}}
{{- $closing := include "frontdesk.closingSeconds" . | int -}}
{{- $slack := add $drain.stragglerSeconds $drain.stopGraceSeconds $closing | int -}}
{{- $sum := add $drain.preStopSeconds $evicting $slack | int -}}
{{- if gt $sum (int $drain.gracePeriodSeconds) -}}
{{- fail (printf "\n\ngateway.drain: %d s before the stop + %d connections ÷ %d a second (%d s) + %d s of slack (%d stragglers, %d stop, %d closing) = %d s, but the grace period is %d s.\nRaise gateway.drain.gracePeriodSeconds to %d, or movesPerSecond, or let a pod carry fewer connections (gateway.connectionsPerPod).\n" (int $drain.preStopSeconds) (int .Values.gateway.connectionsPerPod) (int $drain.movesPerSecond) $evicting $slack (int $drain.stragglerSeconds) (int $drain.stopGraceSeconds) $closing $sum (int $drain.gracePeriodSeconds) $sum) -}}
{{- end -}}
{{- end }}

{{- define "frontdesk.checkJitter" -}}
{{- $jitter := get .Values.settings.gateway "drain_jitter_ms" | default 1000 | int -}}
{{- if gt $jitter (mul 1000 (int .Values.gateway.drain.stragglerSeconds) | int) -}}
{{- fail (printf "\n\ngateway.drain.stragglerSeconds: clients wait up to %d ms before they go (settings.gateway.drain_jitter_ms), which is more than the %d s that the last of them has.\n" $jitter (int .Values.gateway.drain.stragglerSeconds)) -}}
{{- end -}}
{{- end }}

{{/* Owners give their shards away, at most a tenth at a time, before they end. */}}
{{- define "frontdesk.checkOwnersDrain" -}}
{{- $closing := include "frontdesk.closingSeconds" . | int -}}
{{- $drain := get .Values.settings.cluster "drain_seconds" | default 15 | int -}}
{{- range $role := list "sessions" "queueing" "routing" -}}
{{- $grace := (index $.Values $role).gracePeriodSeconds | int -}}
{{- $sum := add $drain 10 $closing | int -}}
{{- if gt $sum $grace -}}
{{- fail (printf "\n\n%s: %d s to hand its shards over (settings.cluster.drain_seconds) + 10 s to save + %d s closing = %d s, but %s.gracePeriodSeconds is %d.\n" $role $drain $closing $sum $role $grace) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Where secrets come from: exactly one source each, and no default password. */}}
{{- define "frontdesk.checkSources" -}}
{{- $given := dict "postgres" .Values.postgres.url "redis" .Values.redis.address -}}
{{- range $engine := list "postgres" "redis" -}}
{{- $url := index $given $engine -}}
{{- $secret := (index $.Values $engine).existingSecret.name -}}
{{- $sources := compact (list (ternary "a URL" "" (not (empty $url))) (ternary "an existing secret" "" (not (empty $secret))) (ternary "devEngines" "" $.Values.devEngines.enabled)) -}}
{{- if ne (len $sources) 1 -}}
{{- fail (printf "\n\n%s: give exactly one of %s, %s.existingSecret.name, or devEngines.enabled for a try-out; given: %s.\n" $engine (ternary "postgres.url" "redis.address" (eq $engine "postgres")) $engine (ternary "none" (join " and " $sources) (empty $sources))) -}}
{{- end -}}
{{- end -}}
{{- if not .Values.tokenKeys.existingSecret.name -}}
{{- fail (printf "\n\ntokenKeys.existingSecret.name: the keys that sign sign-ins are yours to make:\n\n  kubectl -n %s create secret generic frontdesk-token-keys \\\n    --from-literal=keys='[{kid=\"first\",secret=\"'$(openssl rand -base64 32)'\"}]'\n\nthen --set tokenKeys.existingSecret.name=frontdesk-token-keys\n" .Release.Namespace) -}}
{{- end -}}
{{- if and (or .Values.oidc.existingSecret.name .Values.oidc.caSecret.name) (not (get .Values.settings.gateway "oidc")) -}}
{{- fail "\n\noidc: secrets of a provider are given, but settings.gateway.oidc does not say which.\n" -}}
{{- end -}}
{{- with .Values.attachments.s3 -}}
{{- if and (or .existingSecret.name .caSecret.name) (not (get $.Values.settings.attachments "s3")) -}}
{{- fail "\n\nattachments.s3: secrets of an object store are given, but settings.attachments.s3 does not say which.\n" -}}
{{- end -}}
{{- end -}}
{{- if and (eq .Values.internalTls.mode "existingSecret") (not .Values.internalTls.existingSecret) -}}
{{- fail "\n\ninternalTls.existingSecret: name the secret with tls.crt, tls.key and ca.crt, for the name frontdesk.internal.\n" -}}
{{- end -}}
{{- with .Values.gateway.tls -}}
{{- if and .enabled (not .existingSecret) (not .certManager.issuerRef) -}}
{{- fail "\n\ngateway.tls: name an existingSecret, or an issuer in certManager.issuerRef.\n" -}}
{{- end -}}
{{- if and .enabled .certManager.issuerRef (not .existingSecret) (not .certManager.dnsNames) -}}
{{- fail "\n\ngateway.tls.certManager.dnsNames: a certificate needs a name.\n" -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* How clients get in, and how pods are counted. */}}
{{- define "frontdesk.checkWays" -}}
{{- if and .Values.routes.gatewayApi.enabled (not .Values.routes.gatewayApi.parentRefs) -}}
{{- fail "\n\nroutes.gatewayApi.parentRefs: name the Gateway that the routes belong to.\n" -}}
{{- end -}}
{{- if and .Values.routes.gatewayApi.enabled .Values.routes.gatewayApi.backendTls.enabled .Values.gateway.tls.enabled (not (include "frontdesk.backendHostname" .)) -}}
{{- fail "\n\nroutes.gatewayApi.backendTls.hostname: gateways speak TLS (gateway.tls.enabled), so say which name is in their certificate.\n" -}}
{{- end -}}
{{- if and .Values.gateway.tls.enabled (or .Values.tests.enabled .Values.loadtest.enabled) (not (include "frontdesk.harnessTlsName" .)) -}}
{{- fail "\n\ntests.tls.name: gateways speak TLS (gateway.tls.enabled), so say which name in their certificate `helm test` and the load are to expect; or have neither (tests.enabled, loadtest.enabled).\n" -}}
{{- end -}}
{{- $cidrs := false -}}
{{- range .Values.networkPolicy.metricsFrom }}{{ if hasKey . "ipBlock" }}{{ $cidrs = true }}{{ end }}{{ end -}}
{{- if and .Values.routes.ingress.enabled (eq .Values.routes.ingress.controller "alb") .Values.networkPolicy.enabled (not $cidrs) -}}
{{- fail "\n\nnetworkPolicy.metricsFrom: an ALB asks the health port of each pod itself: let its subnets in, such as with {ipBlock: {cidr: 10.0.0.0/16}}.\n" -}}
{{- end -}}
{{- if and .Values.routes.ingress.enabled (not .Values.routes.ingress.hosts) -}}
{{- fail "\n\nroutes.ingress.hosts: name at least one host.\n" -}}
{{- end -}}
{{- $ping := get .Values.settings.gateway "ping_interval_seconds" | default 25 | int -}}
{{- if and .Values.routes.ingress.enabled (lt (int .Values.routes.ingress.idleTimeoutSeconds) (mul 2 $ping | int)) -}}
{{- fail (printf "\n\nroutes.ingress.idleTimeoutSeconds: %d s would cut quiet chats: clients are pinged every %d s and may answer as late as the next ping, so it must be %d or more.\n" (int .Values.routes.ingress.idleTimeoutSeconds) $ping (mul 2 $ping)) -}}
{{- end -}}
{{- with .Values.gateway.autoscaling -}}
{{- if and (ne .kind "none") (gt (int .minReplicas) (int .maxReplicas)) -}}
{{- fail (printf "\n\ngateway.autoscaling: minReplicas (%d) is more than maxReplicas (%d).\n" (int .minReplicas) (int .maxReplicas)) -}}
{{- end -}}
{{- if and (ne .kind "none") (ge (int .targetConnections) (int $.Values.gateway.connectionsPerPod)) -}}
{{- fail (printf "\n\ngateway.autoscaling.targetConnections: %d is no less than what a pod takes at most (gateway.connectionsPerPod, %d): it would refuse people before it is given company.\n" (int .targetConnections) (int $.Values.gateway.connectionsPerPod)) -}}
{{- end -}}
{{- if and (eq .kind "keda") (not .keda.prometheusAddress) -}}
{{- fail "\n\ngateway.autoscaling.keda.prometheusAddress: KEDA asks Prometheus how many connections there are.\n" -}}
{{- end -}}
{{- end -}}
{{- end }}
