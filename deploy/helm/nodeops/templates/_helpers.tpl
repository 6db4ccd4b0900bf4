{{/* A release may have dots in its name, a Service may not. */}}
{{- define "nodeops.name" -}}
{{- $release := .Release.Name | replace "." "-" -}}
{{- .Values.fullnameOverride | default (contains "nodeops" $release | ternary $release (printf "%s-nodeops" $release)) | trunc 50 | trimSuffix "-" -}}
{{- end }}

{{- define "nodeops.webhookName" -}}{{ include "nodeops.name" . }}-inject{{- end }}

{{- define "nodeops.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/name: nodeops
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "nodeops.webhookSelector" -}}
app.kubernetes.io/name: nodeops
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: inject
{{- end }}

{{- define "nodeops.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end -}}
{{- end -}}
{{- end }}

{{/* Capabilities know the kinds of the cluster; `helm template` without one knows those of helm itself, so the version counts, too. */}}
{{- define "nodeops.engine" -}}
{{- if ne .Values.engine "auto" }}{{ .Values.engine }}
{{- else if and (.Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy") (semverCompare ">=1.36.0-0" .Capabilities.KubeVersion.Version) }}policy
{{- else }}webhook
{{- end }}
{{- end }}

{{- define "nodeops.delivery" -}}
{{- if ne .Values.agent.delivery "auto" }}{{ .Values.agent.delivery }}
{{- else if semverCompare ">=1.35.0-0" .Capabilities.KubeVersion.Version }}image-volume
{{- else }}init-container
{{- end }}
{{- end }}

{{/* Quantities as strings, so that both engines write the same. */}}
{{- define "nodeops.resources" -}}
{{- $out := dict -}}
{{- range $kind, $quantities := . -}}
{{- $strings := dict -}}
{{- range $name, $quantity := $quantities }}{{ $_ := set $strings $name (toString $quantity) }}{{ end -}}
{{- $_ := set $out $kind $strings -}}
{{- end -}}
{{- $out | toJson -}}
{{- end }}

{{/* What both engines go by, as src/inject/settings.ts reads it. */}}
{{- define "nodeops.settings" -}}
{{- $token := .Values.agent.tokenSecret -}}
{{- dict
  "version" .Chart.AppVersion
  "image" (include "nodeops.image" .)
  "imagePullPolicy" .Values.image.pullPolicy
  "delivery" (include "nodeops.delivery" .)
  "port" (int .Values.agent.port)
  "artifactsSize" .Values.agent.artifactsSize
  "sidecar" .Values.sidecar.enabled
  "readOnly" .Values.agent.readOnly
  "triggers" .Values.agent.triggers
  "excludedContainers" .Values.agent.excludedContainers
  "tokenSecret" (ternary (dict "name" $token.name "key" $token.key) nil (ne $token.name ""))
  "resources" (dict "agent" (include "nodeops.resources" .Values.agent.resources | fromJson) "sidecar" (include "nodeops.resources" .Values.sidecar.resources | fromJson))
  | toJson -}}
{{- end }}

{{/*
What a kind of request is matched by, for either engine. Namespaces that are never looked at: the cluster's own, and where a namespace
asks for all its pods ours, so that the webhook is not asked about its own pods. Takes a list of the root and what asks.
*/}}
{{- define "nodeops.namespaceSelector" -}}
{{- $root := index . 0 -}}
{{- $excluded := $root.Values.namespaces.excluded -}}
{{- $expressions := list -}}
{{- if eq (index . 1) "namespace" -}}
{{- $excluded = append $excluded $root.Release.Namespace | uniq -}}
{{- $label := $root.Values.namespaces.label -}}
{{- $expressions = list (dict "key" $label.key "operator" "In" "values" (list $label.value)) -}}
{{- end -}}
{{- /* NotIn without values is refused by the API server */ -}}
{{- with $excluded }}{{ $expressions = prepend $expressions (dict "key" "kubernetes.io/metadata.name" "operator" "NotIn" "values" .) }}{{ end -}}
matchExpressions: {{ $expressions | toJson }}
{{- end }}

{{/* Pods of the chart run where the image does. */}}
{{- define "nodeops.nodeSelector" -}}
{{- merge (dict) .Values.webhook.nodeSelector (dict "kubernetes.io/os" "linux") | toJson -}}
{{- end }}

{{/* Whether a pod of the release's namespace would be injected, as `helm test` needs. */}}
{{- define "nodeops.testable" -}}
{{- and (ne (include "nodeops.engine" .) "none") (not (has .Release.Namespace .Values.namespaces.excluded)) -}}
{{- end }}

{{- define "nodeops.matchConditions" -}}
- name: asked
  expression: {{ ternary (include "nodeops.askedByPod" .) (include "nodeops.askedByNamespace" .) (eq (index . 1) "pod") | quote }}
- name: not-mirror
  expression: {{ include "nodeops.notMirror" . | quote }}
{{- end }}

{{- define "nodeops.askedByPod" -}}
object.metadata.?annotations[?'nodeops.dev/inject'].orValue('') == 'true'
{{- end }}

{{- define "nodeops.askedByNamespace" -}}
!('nodeops.dev/inject' in object.metadata.?annotations.orValue({}))
{{- end }}

{{- define "nodeops.notMirror" -}}
!('kubernetes.io/config.mirror' in object.metadata.?annotations.orValue({}))
{{- end }}
