{{/*
The mutation in CEL: the same as src/inject/mutate.ts, sentence by sentence, held to the same table (test/inject/cases).
A policy cannot give warnings, so what was left alone is in the annotation nodeops.dev/skipped only.
Variables hold plain data; the patch is one expression, so that all of it is computed from the pod as it came.
*/}}
{{- define "nodeops.policySpec" -}}
{{- $s := include "nodeops.settings" . | fromJson -}}
{{- $port := printf "%v" $s.port -}}
failurePolicy: {{ .Values.webhook.failurePolicy }}
reinvocationPolicy: IfNeeded
variables:
- name: annotations
  expression: |-
    object.metadata.?annotations.orValue({})

# what the pod asks for, and the setting where it does not or makes no sense
- name: portGiven
  expression: |-
    variables.annotations[?"nodeops.dev/port"].orValue("")
- name: portMakesSense
  expression: |-
    variables.portGiven.matches("^[1-9][0-9]{3,4}$") && int(variables.portGiven) >= 1024 && int(variables.portGiven) <= 65535
- name: port
  expression: |-
    variables.portMakesSense ? variables.portGiven : {{ $port | toJson }}
- name: sidecarGiven
  expression: |-
    variables.annotations[?"nodeops.dev/sidecar"].orValue("")
- name: sidecarAsked
  expression: |-
    variables.sidecarGiven in ["true", "false"] ? variables.sidecarGiven == "true" : {{ $s.sidecar }}
- name: readOnlyGiven
  expression: |-
    variables.annotations[?"nodeops.dev/read-only"].orValue("")
- name: readOnly
  expression: |-
    variables.readOnlyGiven in ["true", "false"] ? variables.readOnlyGiven == "true" : {{ $s.readOnly }} || "nodeops.dev/read-only" in variables.annotations
- name: imageGiven
  expression: |-
    variables.annotations[?"nodeops.dev/image"].orValue("")
- name: imageMakesSense
  expression: |-
    variables.imageGiven.matches("^[!-~]{1,512}$")
- name: image
  expression: |-
    variables.imageMakesSense ? variables.imageGiven : {{ $s.image | toJson }}
- name: sizeGiven
  expression: |-
    variables.annotations[?"nodeops.dev/artifacts-size"].orValue("")
- name: sizeMakesSense
  expression: |-
    variables.sizeGiven.matches("^(0|[1-9][0-9]{0,4}(Mi|Gi))$")
- name: triggersGiven
  expression: |-
    variables.annotations[?"nodeops.dev/triggers"].orValue("")
- name: triggersMakeSense
  expression: |-
    size(variables.triggersGiven) <= 4096 && !variables.triggersGiven.contains("$")
- name: triggers
  expression: |-
    "nodeops.dev/triggers" in variables.annotations && variables.triggersMakeSense ? variables.triggersGiven : {{ $s.triggers | toJson }}
- name: configMapGiven
  expression: |-
    variables.annotations[?"nodeops.dev/triggers-configmap"].orValue("")
- name: configMapMakesSense
  expression: |-
    size(variables.configMapGiven) <= 253 &&
    variables.configMapGiven.matches("^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
- name: names
  expression: |-
    variables.annotations[?"nodeops.dev/containers"].orValue("").split(",").map(n, n.trim()).filter(n, n != "")

# containers, init containers first; the lists below go by index into these two
- name: inits
  expression: |-
    object.spec.?initContainers.orValue([])
- name: all
  expression: |-
    variables.inits + object.spec.containers
# what of the pod's own has one of our names
- name: agentVolumes
  expression: |-
    object.spec.?volumes.orValue([]).filter(v, v.name == "nodeops-agent")
- name: ownNames
  expression: |-
    object.spec.containers.filter(c, c.name in ["nodeops-agent", "nodeops-sidecar"]).map(c, string(c.name))
- name: refusal
  expression: |-
    object.spec.?hostNetwork.orValue(false)
      ? "pod: host network, where the port would be open to every process of the node"
      : object.spec.?os.?name.orValue("") == "windows" || object.spec.?nodeSelector[?"kubernetes.io/os"].orValue("") == "windows"
        ? "pod: Windows, where the agent does not run"
      : variables.all.exists(c, c.?ports.orValue([]).exists(p,
          p.?protocol.orValue("TCP") == "TCP" && string(p.?containerPort.orValue(0)) == variables.port))
        ? "pod: port " + variables.port + " is the app's own, set nodeops.dev/port to another"
      : variables.agentVolumes.exists(v, !v.?image.hasValue() && !v.?emptyDir.hasValue())
        ? "pod: the volume nodeops-agent is the app's own"
      : size(variables.ownNames) > 0
        ? "pod: the container " + variables.ownNames[0] + " is the app's own" : ""
- name: paths
  expression: |-
    lists.range(size(variables.inits)).map(i, "/spec/initContainers/" + string(i)) +
    lists.range(size(object.spec.containers)).map(i, "/spec/containers/" + string(i))
- name: usual
  expression: |-
    lists.range(size(variables.all)).filter(k,
      k >= size(variables.inits) && !(variables.all[k].name in {{ $s.excludedContainers | toJson }}))
- name: chosen
  expression: |-
    "nodeops.dev/containers" in variables.annotations
      ? lists.range(size(variables.all)).filter(k,
          variables.all[k].name in variables.names && !(variables.all[k].name in ["nodeops-agent", "nodeops-sidecar"]))
      : variables.usual

# for each chosen container: mounts in our way, its NODE_OPTIONS, why it is left alone
- name: inTheWay
  expression: |-
    variables.chosen.map(k, variables.all[k].?volumeMounts.orValue([]).filter(m,
      ["/nodeops", "/nodeops-artifacts", "/nodeops-token", "/nodeops-triggers"].exists(p, m.mountPath == p || m.mountPath.startsWith(p + "/")) &&
      !(m.name in ["nodeops-agent", "nodeops-artifacts", "nodeops-token", "nodeops-triggers"])))
- name: options
  expression: |-
    variables.chosen.map(k, variables.all[k].?env.orValue([]).filter(e, e.name == "NODE_OPTIONS"))
- name: reasons
  expression: |-
    lists.range(size(variables.chosen)).map(j,
      size(variables.inTheWay[j]) > 0
        ? variables.all[variables.chosen[j]].name + ": mount path " + variables.inTheWay[j][0].mountPath + " is in use"
      : size(variables.options[j]) == 0
        ? (size(variables.all[variables.chosen[j]].?envFrom.orValue([])) > 0
          ? variables.all[variables.chosen[j]].name + ": envFrom may set NODE_OPTIONS, set it in env (an empty value will do)" : "")
      : variables.options[j][size(variables.options[j]) - 1].?valueFrom.hasValue()
        ? variables.all[variables.chosen[j]].name + ": NODE_OPTIONS comes from valueFrom and cannot be appended to"
      : variables.options[j][size(variables.options[j]) - 1].?value.orValue("").contains("nodeops") &&
        !variables.options[j][size(variables.options[j]) - 1].?value.orValue("").contains("/nodeops/agent/preload.cjs")
        ? variables.all[variables.chosen[j]].name + ": NODE_OPTIONS already loads nodeops"
      : "")
- name: targets
  expression: |-
    variables.refusal != "" ? [] : lists.range(size(variables.chosen)).filter(j, variables.reasons[j] == "")

- name: sidecarReason
  expression: |-
    !variables.sidecarAsked ? ""
      : object.spec.?hostPID.orValue(false) ? "sidecar: host pid namespace, where it would see every process of the node"
      : !object.spec.?shareProcessNamespace.orValue(true) ? "sidecar: the pod sets shareProcessNamespace to false" : ""
- name: sidecar
  expression: |-
    variables.refusal == "" && variables.sidecarAsked && variables.sidecarReason == ""
- name: active
  expression: |-
    variables.sidecar || size(variables.targets) > 0
- name: limited
  expression: |-
    variables.sizeMakesSense ? [] : variables.targets.filter(j,
      variables.all[variables.chosen[j]].?resources.?limits[?"ephemeral-storage"].hasValue())
- name: size
  expression: |-
    variables.sizeMakesSense ? variables.sizeGiven : size(variables.limited) > 0 ? "0" : {{ $s.artifactsSize | toJson }}
- name: mebibytes
  expression: |-
    !variables.active || variables.size == "0" ? 0
      : variables.size.endsWith("Gi") ? int(variables.size.replace("Gi", "")) * 1024 : int(variables.size.replace("Mi", ""))
- name: sizeLimit
  expression: |-
    string((size(variables.targets) + (variables.sidecar ? 1 : 0)) * variables.mebibytes + 16) + "Mi"

# the app's ids, -1 where only its image knows them
- name: apps
  expression: |-
    variables.targets.map(j, variables.chosen[j]).filter(k, k >= size(variables.inits)) + variables.usual
- name: user
  expression: |-
    size(variables.apps) > 0 && variables.all[variables.apps[0]].?securityContext.?runAsUser.hasValue()
      ? variables.all[variables.apps[0]].securityContext.runAsUser : object.spec.?securityContext.?runAsUser.orValue(-1)
- name: group
  expression: |-
    size(variables.apps) > 0 && variables.all[variables.apps[0]].?securityContext.?runAsGroup.hasValue()
      ? variables.all[variables.apps[0]].securityContext.runAsGroup : object.spec.?securityContext.?runAsGroup.orValue(-1)

- name: notes
  expression: |-
    variables.refusal != "" ? [variables.refusal] : (
      (!("nodeops.dev/port" in variables.annotations) || variables.portMakesSense
        ? [] : ["pod: nodeops.dev/port was ignored, it takes a port from 1024 to 65535"]) +
      (!("nodeops.dev/sidecar" in variables.annotations) || variables.sidecarGiven in ["true", "false"]
        ? [] : ["pod: nodeops.dev/sidecar was ignored, it takes true or false"]) +
      (!("nodeops.dev/artifacts-size" in variables.annotations) || variables.sizeMakesSense
        ? [] : ["pod: nodeops.dev/artifacts-size was ignored, it takes 0, NMi or NGi"]) +
      (!("nodeops.dev/image" in variables.annotations) || variables.imageMakesSense
        ? [] : ["pod: nodeops.dev/image was ignored, it takes an image reference"]) +
      (!("nodeops.dev/read-only" in variables.annotations) || variables.readOnlyGiven in ["true", "false"]
        ? [] : ["pod: nodeops.dev/read-only was taken as true, it takes true or false"]) +
      (variables.triggersMakeSense
        ? [] : ["pod: nodeops.dev/triggers was ignored, it takes rules of at most 4096 characters without $"]) +
      (!("nodeops.dev/triggers-configmap" in variables.annotations) || variables.configMapMakesSense
        ? [] : ["pod: nodeops.dev/triggers-configmap was ignored, it takes the name of a ConfigMap"]) +
      variables.names.filter(n, !variables.all.exists(c, c.name == n)).map(n, n + ": the pod has no such container") +
      variables.reasons.filter(r, r != "") +
      (variables.sidecarReason == "" ? [] : [variables.sidecarReason]) +
      (size(variables.limited) == 0 ? [] : [variables.all[variables.chosen[variables.limited[0]]].name +
        ": no artifact volume as its ephemeral storage is limited, set nodeops.dev/artifacts-size"]) +
      (variables.sidecar && variables.user == -1 ? ["sidecar: set runAsUser, it sees only processes of the user it runs as"] : []))
- name: status
  expression: |-
    variables.notes.join("; ")

- name: settings
  expression: |-
    [["NODEOPS_PORT", string(variables.port)]] +
    (variables.mebibytes == 0 ? [] : [
      ["NODEOPS_CONFIG_DIR", "/nodeops-artifacts/config"],
      ["NODEOPS_ARTIFACTS_DIR", "/nodeops-artifacts"],
      ["NODEOPS_ARTIFACTS_SIZE", string(variables.mebibytes) + "Mi"]]) +
    (variables.readOnly ? [["NODEOPS_READ_ONLY", "true"]] : [])
    {{- if $s.tokenSecret }} +
    [["NODEOPS_TOKEN_FILE", "/nodeops-token/token"]]
    {{- end }}
# of the apps' containers only: the sidecar evaluates no rules
- name: rules
  expression: |-
    (variables.triggers == "" ? [] : [["NODEOPS_TRIGGERS", string(variables.triggers)]]) +
    (variables.configMapMakesSense ? [["NODEOPS_TRIGGERS_FILE", "/nodeops-triggers/triggers"]] : [])
- name: volumes
  expression: |-
    object.spec.?volumes.orValue([]).map(v, v.name)
- name: addAgent
  expression: |-
    size(variables.targets) > 0 && size(variables.agentVolumes) == 0
# a volume of the pod's own may be of the other kind of delivery
- name: agentByImage
  expression: |-
    size(variables.agentVolumes) == 0 ? {{ eq $s.delivery "image-volume" }} : variables.agentVolumes[0].?image.hasValue()
- name: addArtifacts
  expression: |-
    variables.mebibytes > 0 && !("nodeops-artifacts" in variables.volumes)
{{- if $s.tokenSecret }}
- name: addToken
  expression: |-
    variables.active && !("nodeops-token" in variables.volumes)
{{- end }}
- name: addTriggers
  expression: |-
    size(variables.targets) > 0 && variables.configMapMakesSense && !("nodeops-triggers" in variables.volumes)
- name: addSidecar
  expression: |-
    variables.sidecar && !variables.inits.exists(c, c.name == "nodeops-sidecar")
- name: addInstaller
  expression: |-
    size(variables.targets) > 0 && !variables.agentByImage && !variables.inits.exists(c, c.name == "nodeops-agent")
# of a template that was copied from an injected pod, of an older version maybe
- name: oldImages
  expression: |-
    lists.range(size(variables.inits)).filter(i,
      variables.inits[i].name == "nodeops-sidecar" ? variables.sidecar
        : variables.inits[i].name == "nodeops-agent" && size(variables.targets) > 0 && !variables.agentByImage)
# the pod has resources as a whole: what its containers ask for must not be more
- name: budgeted
  expression: |-
    has(object.spec.resources)
mutations:
- patchType: JSONPatch
  jsonPatch:
    expression: |-
      (has(object.metadata.annotations) || (!variables.active && variables.status == "")
        ? [] : [JSONPatch{op: "add", path: "/metadata/annotations", value: {}}]) +
      (variables.status != "" ? [JSONPatch{op: "add", path: "/metadata/annotations/nodeops.dev~1skipped",
          value: size(variables.status) > 1024 ? variables.status.substring(0, 1024) : variables.status}]
        : "nodeops.dev/skipped" in variables.annotations ? [JSONPatch{op: "remove", path: "/metadata/annotations/nodeops.dev~1skipped"}]
        : []) +
      (!variables.active ? [] : [
        JSONPatch{op: "add", path: "/metadata/annotations/nodeops.dev~1version", value: {{ $s.version | toJson }}},
        JSONPatch{op: "add", path: "/metadata/annotations/nodeops.dev~1injected", value:
          (variables.targets.map(j, variables.all[variables.chosen[j]].name) + (variables.sidecar ? ["nodeops-sidecar"] : [])).join(",")}]) +

      (has(object.spec.volumes) || !(variables.addAgent || variables.addArtifacts || variables.addTriggers {{- if $s.tokenSecret }} || variables.addToken{{ end }})
        ? [] : [JSONPatch{op: "add", path: "/spec/volumes", value: []}]) +
      (!variables.addAgent ? [] : [JSONPatch{op: "add", path: "/spec/volumes/-", value: Object.spec.volumes{name: "nodeops-agent",
        {{- if eq $s.delivery "image-volume" }}
        image: Object.spec.volumes.image{reference: variables.image, pullPolicy: {{ $s.imagePullPolicy | toJson }}}
        {{- else }}
        emptyDir: Object.spec.volumes.emptyDir{sizeLimit: "32Mi"}
        {{- end }}}}]) +
      (size(variables.targets) == 0 ? [] : lists.range(size(variables.volumes)).filter(v,
        object.spec.volumes[v].name == "nodeops-agent" && object.spec.volumes[v].?image.hasValue()).map(v,
        JSONPatch{op: "add", path: "/spec/volumes/" + string(v) + "/image/reference", value: variables.image})) +
      (variables.addArtifacts ? [JSONPatch{op: "add", path: "/spec/volumes/-", value: Object.spec.volumes{name: "nodeops-artifacts",
          emptyDir: Object.spec.volumes.emptyDir{sizeLimit: variables.sizeLimit}}}]
        : variables.mebibytes == 0 ? []
        : lists.range(size(variables.volumes)).filter(v,
            object.spec.volumes[v].name == "nodeops-artifacts" && object.spec.volumes[v].?emptyDir.hasValue()).map(v,
            JSONPatch{op: "add", path: "/spec/volumes/" + string(v) + "/emptyDir/sizeLimit", value: variables.sizeLimit})) +
      {{- if $s.tokenSecret }}
      (!variables.addToken ? [] : [JSONPatch{op: "add", path: "/spec/volumes/-", value: Object.spec.volumes{name: "nodeops-token",
        secret: Object.spec.volumes.secret{secretName: {{ $s.tokenSecret.name | toJson }}, optional: true,
          items: [Object.spec.volumes.secret.items{key: {{ $s.tokenSecret.key | toJson }}, path: "token"}]}}}]) +
      {{- end }}
      (!variables.addTriggers ? [] : [JSONPatch{op: "add", path: "/spec/volumes/-", value: Object.spec.volumes{name: "nodeops-triggers",
        configMap: Object.spec.volumes.configMap{name: variables.configMapGiven, optional: true,
          items: [Object.spec.volumes.configMap.items{key: "triggers", path: "triggers"}]}}}]) +

      variables.targets.map(j,
        (variables.all[variables.chosen[j]].?volumeMounts.hasValue()
          ? [] : [JSONPatch{op: "add", path: variables.paths[variables.chosen[j]] + "/volumeMounts", value: []}]) +
        (variables.all[variables.chosen[j]].?volumeMounts.orValue([]).exists(m, m.name == "nodeops-agent" && m.mountPath == "/nodeops")
          ? [] : [JSONPatch{op: "add", path: variables.paths[variables.chosen[j]] + "/volumeMounts/-",
            value: Object.spec.containers.volumeMounts{name: "nodeops-agent", mountPath: "/nodeops", readOnly: true}}]) +
        (variables.mebibytes == 0 || variables.all[variables.chosen[j]].?volumeMounts.orValue([]).exists(m, m.name == "nodeops-artifacts" && m.mountPath == "/nodeops-artifacts")
          ? [] : [JSONPatch{op: "add", path: variables.paths[variables.chosen[j]] + "/volumeMounts/-",
            value: Object.spec.containers.volumeMounts{name: "nodeops-artifacts", mountPath: "/nodeops-artifacts",
              subPath: variables.all[variables.chosen[j]].name}}]) +
        {{- if $s.tokenSecret }}
        (variables.all[variables.chosen[j]].?volumeMounts.orValue([]).exists(m, m.name == "nodeops-token" && m.mountPath == "/nodeops-token")
          ? [] : [JSONPatch{op: "add", path: variables.paths[variables.chosen[j]] + "/volumeMounts/-",
            value: Object.spec.containers.volumeMounts{name: "nodeops-token", mountPath: "/nodeops-token", readOnly: true}}]) +
        {{- end }}
        (!variables.configMapMakesSense ||
          variables.all[variables.chosen[j]].?volumeMounts.orValue([]).exists(m, m.name == "nodeops-triggers" && m.mountPath == "/nodeops-triggers")
          ? [] : [JSONPatch{op: "add", path: variables.paths[variables.chosen[j]] + "/volumeMounts/-",
            value: Object.spec.containers.volumeMounts{name: "nodeops-triggers", mountPath: "/nodeops-triggers", readOnly: true}}]) +
        (variables.all[variables.chosen[j]].?env.hasValue()
          ? [] : [JSONPatch{op: "add", path: variables.paths[variables.chosen[j]] + "/env", value: []}]) +
        (size(variables.options[j]) == 0
          ? [JSONPatch{op: "add", path: variables.paths[variables.chosen[j]] + "/env/-",
              value: Object.spec.containers.env{name: "NODE_OPTIONS", value: "--require=/nodeops/agent/preload.cjs"}}]
          : variables.options[j][size(variables.options[j]) - 1].?value.orValue("").contains("/nodeops/agent/preload.cjs") ? []
          : [JSONPatch{op: "add", path: variables.paths[variables.chosen[j]] + "/env/" +
                string(lists.range(size(variables.all[variables.chosen[j]].env)).filter(e,
                  variables.all[variables.chosen[j]].env[e].name == "NODE_OPTIONS")[size(variables.options[j]) - 1]) + "/value",
              value: variables.options[j][size(variables.options[j]) - 1].?value.orValue("") == ""
                ? "--require=/nodeops/agent/preload.cjs"
                : variables.options[j][size(variables.options[j]) - 1].?value.orValue("") + " --require=/nodeops/agent/preload.cjs"}]) +
        ([["NODEOPS_CONTAINER", string(variables.all[variables.chosen[j]].name)]] + variables.settings + variables.rules)
          .filter(p, !variables.all[variables.chosen[j]].?env.orValue([]).exists(e, e.name == p[0]))
          .map(p, JSONPatch{op: "add", path: variables.paths[variables.chosen[j]] + "/env/-",
            value: Object.spec.containers.env{name: p[0], value: p[1]}})
      ).flatten() +

      (!variables.sidecar ? [] : [JSONPatch{op: "add", path: "/spec/shareProcessNamespace", value: true}]) +
      variables.oldImages.map(i, JSONPatch{op: "add", path: "/spec/initContainers/" + string(i) + "/image", value: variables.image}) +
      (has(object.spec.initContainers) || !(variables.addSidecar || variables.addInstaller)
        ? [] : [JSONPatch{op: "add", path: "/spec/initContainers", value: []}]) +
      (!variables.addSidecar ? [] :
        [JSONPatch{op: "add", path: "/spec/initContainers/0", value: Object.spec.initContainers{
          name: "nodeops-sidecar",
          image: variables.image,
          imagePullPolicy: {{ $s.imagePullPolicy | toJson }},
          args: ["/nodeops/sidecar.cjs"],
          restartPolicy: "Always",
          env: ([["NODEOPS_CONTAINER", "nodeops-sidecar"]] + variables.settings).map(p, Object.spec.initContainers.env{name: p[0], value: p[1]}),
          volumeMounts: [],
          resources: {{ include "nodeops.celResources" $s.resources.sidecar }},
          securityContext: {{ include "nodeops.celRestricted" "variables.user != 0" }}}}] +
        (variables.mebibytes == 0 ? [] : [JSONPatch{op: "add", path: "/spec/initContainers/0/volumeMounts/-",
          value: Object.spec.initContainers.volumeMounts{name: "nodeops-artifacts", mountPath: "/nodeops-artifacts"}}]) +
        {{- if $s.tokenSecret }}
        [JSONPatch{op: "add", path: "/spec/initContainers/0/volumeMounts/-",
          value: Object.spec.initContainers.volumeMounts{name: "nodeops-token", mountPath: "/nodeops-token", readOnly: true}}] +
        {{- end }}
        (variables.user == -1 ? [] : [JSONPatch{op: "add", path: "/spec/initContainers/0/securityContext/runAsUser", value: variables.user}]) +
        (variables.group == -1 ? [] : [JSONPatch{op: "add", path: "/spec/initContainers/0/securityContext/runAsGroup", value: variables.group}])) +
      (!variables.addInstaller ? [] :
        [JSONPatch{op: "add", path: "/spec/initContainers/0", value: Object.spec.initContainers{
          name: "nodeops-agent",
          image: variables.image,
          imagePullPolicy: {{ $s.imagePullPolicy | toJson }},
          args: ["/nodeops/inject.cjs", "install", "/install/agent"],
          volumeMounts: [Object.spec.initContainers.volumeMounts{name: "nodeops-agent", mountPath: "/install"}],
          resources: {{ include "nodeops.celResources" $s.resources.agent }},
          securityContext: {{ include "nodeops.celRestricted" "true" }}}}] +
        (variables.user == -1 ? [] : [JSONPatch{op: "add", path: "/spec/initContainers/0/securityContext/runAsUser",
          value: variables.user == 0 ? 65532 : variables.user}]))
{{- end }}

{{- define "nodeops.celResources" -}}
variables.budgeted ? Object.spec.initContainers.resources{} : Object.spec.initContainers.resources{
{{- $first := true -}}
{{- range $kind, $quantities := . -}}
{{- if not $first }}, {{ end }}{{ $first = false }}{{ $kind }}: {{ $quantities | toJson }}
{{- end -}}
}
{{- end }}

{{- define "nodeops.celRestricted" -}}
Object.spec.initContainers.securityContext{allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, runAsNonRoot: {{ . }},
            capabilities: Object.spec.initContainers.securityContext.capabilities{drop: ["ALL"]},
            seccompProfile: Object.spec.initContainers.securityContext.seccompProfile{type: "RuntimeDefault"}}
{{- end }}
