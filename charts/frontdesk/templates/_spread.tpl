{{/* Where pods go, and how many may be taken away at once. */}}

{{/* Over zones and hosts: (list $ "gateway"). */}}
{{- define "frontdesk.spread" -}}
{{- $root := index . 0 -}}
{{- $role := index . 1 -}}
{{- $values := index $root.Values $role -}}
topologySpreadConstraints:
  {{- range $topology := list (dict "key" "topology.kubernetes.io/zone" "when" $values.spread.zones) (dict "key" "kubernetes.io/hostname" "when" $values.spread.hosts) }}
  - topologyKey: {{ $topology.key }}
    maxSkew: 1
    whenUnsatisfiable: {{ $topology.when }}
    {{- if and (eq $role "presence") (eq $topology.key "kubernetes.io/hostname") (eq $topology.when "DoNotSchedule") }}
    # Else three voters would share two hosts, as two and one are no further apart than that.
    minDomains: {{ int $values.replicas }}
    {{- end }}
    # Hosts of a zone that failed are tainted and take nobody; they are not waited for.
    nodeTaintsPolicy: Honor
    labelSelector:
      matchLabels:
        {{- include "frontdesk.selector" (list $root $role) | nindent 8 }}
    {{- if ne $role "presence" }}
    # Old pods of a rollout do not count.
    matchLabelKeys: [pod-template-hash]
    {{- end }}
  {{- end }}
{{- end }}

{{/* A role's disruption budget; none for one alone, which could never be moved: (list $ "desk"). */}}
{{- define "frontdesk.budget" -}}
{{- $root := index . 0 -}}
{{- $role := index . 1 -}}
{{- $replicas := (index $root.Values $role).replicas | int -}}
{{- if and (eq $role "gateway") (ne $root.Values.gateway.autoscaling.kind "none") }}{{ $replicas = int $root.Values.gateway.autoscaling.minReplicas }}{{ end -}}
{{- if gt $replicas 1 -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "frontdesk.name" . }}
  labels:
    {{- include "frontdesk.labels" . | nindent 4 }}
spec:
  # Voters: as many as may be away while the others are a majority.
  maxUnavailable: {{ ternary (div (sub $replicas 1) 2) 1 (eq $role "presence") }}
  unhealthyPodEvictionPolicy: {{ ternary "IfHealthyBudget" "AlwaysAllow" (eq $role "presence") }}
  selector:
    matchLabels:
      {{- include "frontdesk.selector" . | nindent 6 }}
{{- end }}
{{- end }}
