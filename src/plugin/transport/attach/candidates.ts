/** Which commands may be a Node of a container, without a shell to look for it. */
import { basename } from 'node:path';
import type { AttachPod, ContainerSpec } from './pod-spec.ts';

/** Where images have it: on the PATH, the official images, distributions, distroless. */
const usual = ['node', '/usr/local/bin/node', '/usr/bin/node', '/nodejs/bin/node'];

/**
 * Commands in the order they are tried. `env` keeps the app's preloads out of ours where the image has it.
 * `/proc/1/exe` is only run where the pod says itself that process 1 is Node: any other program would take our arguments
 * for its own.
 */
export function candidates(container: ContainerSpec, { spec }: AttachPod): (readonly string[])[] {
  const [command = ''] = container.command ?? [];
  const named = /^(?:node|nodejs)(?:[-\d.]|$)/.test(basename(command)) ? command : undefined;
  const paths = named === undefined || usual.includes(named) ? usual : [named, ...usual];
  const isFirst = named !== undefined && !spec.shareProcessNamespace && !spec.hostPID;
  const clean = ['env', '-u', 'NODE_OPTIONS', '-u', 'NODE_V8_COVERAGE', named ?? 'node'];
  return [clean, ...paths.map((path) => [path]), ...(isFirst ? [['/proc/1/exe']] : [])];
}

/** Whether a command ended because there is none of that name, and nothing has run. */
export function isMissing(exit: { readonly code: number; readonly message: string }, stderr: string): boolean {
  if (/executable file not found|no such file or directory|not a directory|permission denied/i.test(exit.message))
    return true;
  return (
    (exit.code === 127 || exit.code === 126 || exit.code === 125) &&
    /^env: |env: unrecognized|invalid option/m.test(stderr)
  );
}
