{{/*
The alerts. Each says what people notice, for how long it may last, and where to look; its
section in RUNBOOK.md says what to do. Names and labels of series are compared with the
sources by tests/chart.
*/}}

{{/* The share of commands that were not taken: (list matchers "5m"). */}}
{{- define "frontdesk.notTaken" -}}
sum(rate(frontdesk_sessions_commands_total{ {{- index . 0 -}} ,outcome="unavailable"}[{{ index . 1 }}])) / sum(rate(frontdesk_sessions_commands_total{ {{- index . 0 -}} }[{{ index . 1 }}]))
{{- end }}

{{- define "frontdesk.alerts" -}}
{{- $m := printf "namespace=%q,job=%q" .Release.Namespace (include "frontdesk.fullname" .) -}}
{{- $pod := "{{ $labels.pod }}" -}}
{{- $value := "{{ $value | humanize }}" -}}
groups:
  - name: frontdesk.group
    rules:
      - alert: FrontdeskNoLeader
        expr: max(frontdesk_raft_has_leader{ {{- $m -}} }) == 0 or absent(frontdesk_raft_has_leader{ {{- $m -}} })
        for: 1m
        severity: critical
        summary: The presence group has no leader
        description: >-
          Nobody new gets an agent and no shard is placed. Open chats go on.
      - alert: FrontdeskVoterMissing
        expr: count(frontdesk_raft_term{ {{- $m -}} }) < {{ int .Values.presence.replicas }}
        for: 5m
        severity: warning
        summary: A voter of the presence group is away
        description: >-
          {{ $value }} of {{ int .Values.presence.replicas }} voters are there. One more that fails may cost the quorum.
      - alert: FrontdeskElectionsOften
        expr: max(delta(frontdesk_raft_term{ {{- $m -}} }[15m])) > 4
        severity: warning
        summary: The presence group keeps electing
        description: >-
          {{ $value }} terms within fifteen minutes. Each election is a moment in which nobody new gets an agent.
      - alert: FrontdeskVoterLags
        expr: max(frontdesk_raft_last_log_index{ {{- $m -}} }) - min(frontdesk_raft_applied_index{ {{- $m -}} }) > 1000
        for: 5m
        severity: warning
        summary: A voter lags behind the group
        description: >-
          It lacks {{ $value }} entries and would be slow to take over.
      - alert: FrontdeskVoterDiskFails
        expr: sum by (pod) (increase(frontdesk_raft_disk_commit_failures_total{ {{- $m -}} }[5m])) > 0
        severity: critical
        summary: A voter cannot write its log
        description: >-
          {{ $pod }} could not write to its volume. See whether it is full.
      - alert: FrontdeskVoterDiskSlow
        expr: histogram_quantile(0.99, sum by (pod, le) (rate(frontdesk_raft_disk_commit_seconds_bucket{ {{- $m -}} }[10m]))) > 0.1
        for: 10m
        severity: warning
        summary: A voter's volume is slow
        description: >-
          One write in a hundred takes {{ $value }} s at {{ $pod }}. Elections follow from 0.3 s on.
      - alert: FrontdeskProposalsFail
        expr: sum(rate(frontdesk_raft_proposals_failed_total{ {{- $m -}} }[5m])) > 1
        for: 5m
        severity: warning
        summary: The presence group does not do what it is asked
        description: >-
          {{ $value }} requests a second failed. Assignments and sign-ins are late.
  - name: frontdesk.processes
    rules:
      {{- range $role := list "sessions" "queueing" "routing" "desk" "gateway" }}
      - alert: FrontdeskRoleGone
        expr: sum(up{ {{- $m -}} ,role={{ $role | quote }}}) == 0 or absent(up{ {{- $m -}} ,role={{ $role | quote }}})
        for: 2m
        severity: critical
        role: {{ $role }}
        summary: No {{ $role }} process answers
        description: >-
          Not one process of the role {{ $role }} could be scraped.
      {{- end }}
      - alert: FrontdeskProcessDown
        expr: up{ {{- $m -}} } == 0
        for: 10m
        severity: warning
        summary: A process does not answer
        description: >-
          {{ $pod }} could not be scraped for ten minutes.
      - alert: FrontdeskTakeOversFail
        expr: sum by (placed) (increase(frontdesk_placement_moves_total{ {{- $m -}} ,step="failed"}[15m])) > 3
        severity: warning
        summary: Shards are not taken over
        description: >-
          {{ $value }} take-overs of {{ "{{ $labels.placed }}" }} failed within fifteen minutes. Until one succeeds a shard has no owner.
      - alert: FrontdeskPanics
        expr: sum by (pod) (increase(frontdesk_tasks_panics_total{ {{- $m -}} }[15m])) > 0
        severity: warning
        summary: A task of Frontdesk has panicked
        description: >-
          {{ $pod }} has a fault. Its log names the task and the place.
      - alert: FrontdeskFenced
        expr: sum by (pod) (increase(frontdesk_sessions_fences_total{ {{- $m -}} }[15m])) > 100
        severity: warning
        summary: An owner was fenced off
        description: >-
          The journal refused {{ $value }} writes of {{ $pod }}, which no longer owned what it wrote. It was frozen or cut off.
      - alert: FrontdeskCertificateNotRenewed
        expr: sum by (pod) (increase(frontdesk_tls_reloads_total{ {{- $m -}} ,outcome="failed"}[1h])) > 0
        severity: critical
        summary: New certificates cannot be used
        description: >-
          {{ $pod }} keeps its old ones until they end.
  - name: frontdesk.messages
    rules:
      - alert: FrontdeskSendsFail
        # Of 999 in 1000 a month: at this pace a fiftieth of what may fail is gone in an hour.
        expr: >-
          {{ include "frontdesk.notTaken" (list $m "5m") }} > 0.0144
          and {{ include "frontdesk.notTaken" (list $m "1h") }} > 0.0144
        for: 2m
        severity: critical
        summary: Messages are not taken
        description: >-
          A share of {{ $value }} of all commands was answered "unavailable, retry". See the database.
      - alert: FrontdeskSendsFailSlowly
        # A twentieth in six hours.
        expr: >-
          {{ include "frontdesk.notTaken" (list $m "30m") }} > 0.006
          and {{ include "frontdesk.notTaken" (list $m "6h") }} > 0.006
        for: 15m
        severity: warning
        summary: More messages are not taken than may be
        description: >-
          A share of {{ $value }} of all commands was answered "unavailable, retry", for hours.
      - alert: FrontdeskCommitsFail
        expr: sum(rate(frontdesk_journal_group_failures_total{ {{- $m -}} }[5m])) > 0
        for: 5m
        severity: critical
        summary: The journal refuses writes
        description: >-
          {{ $value }} groups a second could not be committed. See the database.
      - alert: FrontdeskCommitsSlow
        expr: histogram_quantile(0.99, sum by (le) (rate(frontdesk_journal_commit_seconds_bucket{ {{- $m -}} }[10m]))) > 0.25
        for: 10m
        severity: warning
        summary: Messages are acknowledged late
        description: >-
          One commit in a hundred takes {{ $value }} s. See the database's disk.
      - alert: FrontdeskMailboxesFull
        expr: sum by (pod) (rate(frontdesk_sessions_mailbox_sheds_total{ {{- $m -}} }[5m])) > 0
        for: 5m
        severity: critical
        summary: An owner cannot keep up
        description: >-
          Mailboxes of {{ $pod }} are full and commands are refused. Add owners (sessions.replicas).
      - alert: FrontdeskMailboxesFill
        expr: sum by (pod) (frontdesk_sessions_mailbox_depth{ {{- $m -}} }) / sum by (pod) (frontdesk_sessions_mailbox_limit{ {{- $m -}} }) > 0.5
        for: 2m
        severity: warning
        summary: An owner falls behind
        description: >-
          Mailboxes of {{ $pod }} are filled to a share of {{ $value }}. When they are full, commands are refused.
      - alert: FrontdeskNoWayToOwners
        expr: sum by (pod) (rate(frontdesk_link_refusals_total{ {{- $m -}} }[5m])) > 0
        for: 2m
        severity: critical
        summary: Commands do not get to their owners
        description: >-
          {{ $pod }} refuses {{ $value }} commands a second, for shards without an owner or a link that is full.
      - alert: FrontdeskDeliveriesLate
        expr: histogram_quantile(0.99, sum by (le) (rate(frontdesk_gateway_delivery_seconds_bucket{ {{- $m -}} }[10m]))) > 1
        for: 10m
        severity: warning
        summary: Messages arrive late
        description: >-
          One in a hundred takes {{ $value }} s from its owner to its reader's gateway. See commits, the bus, and the machines' clocks.
      - alert: FrontdeskBusSilent
        expr: min by (pod) (frontdesk_bus_live{ {{- $m -}} ,role="gateway"}) == 0
        for: 2m
        severity: warning
        summary: A gateway hears nothing from Redis
        description: >-
          {{ $pod }} is fed directly meanwhile; nothing is lost. See Redis.
  - name: frontdesk.people
    rules:
      - alert: FrontdeskGatewayNearlyFull
        expr: sum by (pod) (frontdesk_gateway_connections{ {{- $m -}} }) > {{ mulf .Values.gateway.connectionsPerPod 0.85 | floor | int64 }}
        for: 10m
        severity: warning
        summary: A gateway is nearly full
        description: >-
          {{ $pod }} has {{ $value }} connections and takes {{ int .Values.gateway.connectionsPerPod }}. Add gateways.
      - alert: FrontdeskTurnsPeopleAway
        expr: sum by (limit) (rate(frontdesk_gateway_refused_total{ {{- $m -}} }[5m])) > 1
        for: 10m
        severity: warning
        summary: People are not let in
        description: >-
          {{ $value }} a second are refused for the limit {{ "{{ $labels.limit }}" }}.
      - alert: FrontdeskFilesFail
        expr: sum(rate(frontdesk_files_failures_total{ {{- $m -}} }[5m])) > 0
        for: 5m
        severity: warning
        summary: Files cannot be put, read or removed
        description: >-
          {{ $value }} a second fail. Chats go on without them, but nothing can be erased.
      - alert: FrontdeskPasswordsGuessed
        expr: sum(rate(frontdesk_desk_sign_ins_total{ {{- $m -}} ,outcome="refused"}[10m])) > 1
        for: 10m
        severity: warning
        summary: Somebody tries passwords
        description: >-
          {{ $value }} sign-ins a second fail.
      - alert: FrontdeskSignInsShed
        expr: sum(rate(frontdesk_desk_sign_ins_total{ {{- $m -}} ,outcome="shed"}[5m])) > 0
        for: 5m
        severity: warning
        summary: Agents cannot sign in for want of desks
        description: >-
          {{ $value }} sign-ins a second are told to come again. Passwords take processors: add desks.
      - alert: FrontdeskAuditFails
        expr: sum(increase(frontdesk_gateway_audit_failures_total{ {{- $m -}} }[15m])) > 0
        severity: warning
        summary: Acts are refused because they cannot be written down
        description: >-
          {{ $value }} acts of supervisors or administrators found no audit log and were not done. See the database.
      - alert: FrontdeskNobodyServes
        expr: sum(frontdesk_queueing_waiting{ {{- $m -}} }) > 0 and max(frontdesk_presence_slots_online{ {{- $m -}} }) == 0
        for: 10m
        severity: warning
        summary: People wait and no agent is online
        description: >-
          Should somebody be there now? See the calendars and the agents' statuses.
      - alert: FrontdeskWaitsLong
        expr: histogram_quantile(0.9, sum by (le) (rate(frontdesk_queueing_wait_seconds_bucket{ {{- $m -}} }[15m]))) > 300
        for: 15m
        severity: warning
        summary: People wait for long
        description: >-
          One in ten waited {{ $value }} s for an agent.
      - alert: FrontdeskForgottenFound
        expr: sum(increase(frontdesk_queueing_lost_found_total{ {{- $m -}} }[30m])) > 0
        severity: warning
        summary: Waiting conversations had been forgotten
        description: >-
          {{ $value }} were found by the comparison with the journal and wait again. A defect, please report it.
{{- end }}
