/** Flags and variables of attaching. */
import { NodeopsError } from '../../protocol/errors.ts';
import type { FlagSet } from './flags.ts';

const modes = ['auto', 'exec', 'ephemeral'] as const;
export type AttachMode = (typeof modes)[number];

export const attachFlags = {
  attach: {
    type: 'choice',
    placeholder: 'WAY',
    summary: 'look at processes that load no agent (NODEOPS_ATTACH)',
    choices: modes,
  },
  'attach-image': {
    type: 'text',
    placeholder: 'IMAGE',
    summary: 'image for --attach=ephemeral (NODEOPS_ATTACH_IMAGE)',
    maxLength: 1024,
  },
  'attach-force': { type: 'boolean', summary: 'attach although memory is short', default: false },
} as const satisfies FlagSet;

/** What to attach with, completed from the environment. */
export interface AttachSettings {
  readonly mode: AttachMode;
  /** Whether this command line asked for it: then a target it does not fit is an error. */
  readonly asked: boolean;
  readonly image: string;
  readonly force: boolean;
}

interface Given {
  readonly attach: string | undefined;
  readonly 'attach-image': string | undefined;
  readonly 'attach-force': boolean;
}

/** Undefined where nothing is to be attached. Throws `usage` when the variable makes no sense. */
export function attachSettings(
  flags: Given,
  env: Readonly<Record<string, string | undefined>>,
): AttachSettings | undefined {
  const text = flags.attach ?? (env.NODEOPS_ATTACH || undefined);
  if (text === undefined) return undefined;
  const mode = modes.find((one) => one === text);
  if (!mode)
    throw new NodeopsError('usage', `NODEOPS_ATTACH is '${text.slice(0, 40)}'; it takes one of ${modes.join(', ')}`);
  const image = flags['attach-image'] ?? (env.NODEOPS_ATTACH_IMAGE || undefined);
  return {
    mode,
    asked: flags.attach !== undefined,
    image: image ?? `ghcr.io/nodeops/nodeops:${process.env.NODEOPS_VERSION ?? 'latest'}`,
    force: flags['attach-force'],
  };
}
