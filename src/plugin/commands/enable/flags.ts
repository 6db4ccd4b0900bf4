import type { FlagSet } from '../../cli/flags.ts';

/** Flags of both commands. */
export const rolloutFlags = {
  'dry-run': {
    type: 'choice',
    summary: 'change nothing: client prints the patch, server has the API server check it',
    choices: ['none', 'client', 'server'],
    default: 'none',
  },
  wait: { type: 'boolean', summary: 'wait until the new pods are ready', default: false },
  timeout: { type: 'duration', summary: 'how long to wait', default: 300_000, min: 1_000, max: 86_400_000 },
} as const satisfies FlagSet;

/** What `enable` writes besides `nodeops.dev/inject`. */
export const wishFlags = {
  containers: {
    type: 'text',
    placeholder: 'NAMES',
    summary: 'containers to inject, separated by commas (default all but proxies and the like)',
    maxLength: 4096,
  },
  port: { type: 'integer', summary: "the agents' port in the pods", min: 1_024, max: 65_535 },
  sidecar: { type: 'boolean', summary: 'add the sidecar, for processes that load no agent', default: false },
  'artifacts-size': {
    type: 'text',
    placeholder: 'SIZE',
    summary: 'room for captures of each container: 0, 512Mi, 2Gi',
    maxLength: 16,
  },
  image: { type: 'text', placeholder: 'IMAGE', summary: "image of the agent instead of the chart's", maxLength: 512 },
  'read-only': { type: 'boolean', summary: 'agents refuse captures and every other effect', default: false },
  triggers: {
    type: 'text',
    placeholder: 'RULES',
    summary: "what agents capture by themselves, such as 'when cpu > 90% for 1m capture pprof-cpu'",
    maxLength: 4_096,
  },
  'triggers-configmap': {
    type: 'text',
    placeholder: 'NAME',
    summary: "ConfigMap with such rules in its key 'triggers'",
    maxLength: 253,
  },
  force: { type: 'boolean', summary: 'also where no injector is installed', default: false },
} as const satisfies FlagSet;
