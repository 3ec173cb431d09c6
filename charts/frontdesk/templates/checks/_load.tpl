{{/*
A pod that makes a site and accounts of its own and points the load harness at the
gateways: (dict "root" $ "component" … "site" … "agents" … "args" (list …)).
The site is a tenant like any other; chats of other sites are not touched.
*/}}
{{- define "frontdesk.loadPod" -}}
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
      - --origin=http://{{ include "frontdesk.name" (list .root "gateway") }}
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
      - --target=http://{{ include "frontdesk.name" (list .root "gateway-pods") }}:{{ int .root.Values.ports.clients }}
      # Every gateway by itself: visitors go round them, so most chats have two.
      - --each-address
      - --allow-remote
      - --accounts=/accounts/accounts.json
      - --plain
      {{- range .args }}
      - {{ . | quote }}
      {{- end }}
    resources:
      {{- toYaml .resources | nindent 6 }}
    securityContext:
      {{- include "frontdesk.containerSecurity" .root | nindent 6 }}
    volumeMounts:
      - name: accounts
        mountPath: /accounts
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
  {{- with .claim }}
  - name: results
    persistentVolumeClaim:
      claimName: {{ . }}
  {{- end }}
{{- end }}
