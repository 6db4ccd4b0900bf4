import { knownPort } from '../../protocol/limits.ts';
import { attachFlags } from './attach-flags.ts';
import type { FlagSet } from './flags.ts';

/** Flags that choose targets. */
export const targetFlags = {
  selector: { type: 'text', short: 'l', placeholder: 'SELECTOR', summary: 'pods with these labels', maxLength: 4096 },
  'field-selector': { type: 'text', placeholder: 'SELECTOR', summary: 'pods with these fields', maxLength: 4096 },
  'all-namespaces': { type: 'boolean', short: 'A', summary: 'pods of all namespaces', default: false },
  container: {
    type: 'text',
    short: 'c',
    placeholder: 'NAME',
    summary: 'container of the pod: its name or a regular expression',
    maxLength: 253,
  },
  pid: { type: 'integer', summary: 'process of the pod, as numbered in its container', min: 1, max: 2 ** 31 - 1 },
  'all-processes': { type: 'boolean', summary: 'every process of each pod', default: false },
  port: { type: 'integer', summary: "the agents' port", default: knownPort, min: 1, max: 65_535 },
  ...attachFlags,
  'agent-token-file': {
    type: 'text',
    placeholder: 'FILE',
    summary: 'token for agents that ask for one (default the variable NODEOPS_TOKEN)',
    maxLength: 4096,
  },
  timeout: {
    type: 'duration',
    summary: 'how long to wait for each target (default 15s and what the command takes)',
    min: 100,
    max: 3_600_000,
  },
  concurrency: { type: 'integer', summary: 'targets asked at the same time', default: 32, min: 1, max: 512 },
} as const satisfies FlagSet;

/** Flags that choose the form of what is printed. */
export const outputFlags = {
  output: {
    type: 'choice',
    short: 'o',
    placeholder: 'FORMAT',
    summary: 'form of the output',
    choices: ['wide', 'json', 'yaml', 'kyaml', 'name'],
  },
} as const satisfies FlagSet;
