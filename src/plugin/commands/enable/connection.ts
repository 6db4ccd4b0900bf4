import type { Connection } from '../../transport/kube/connection.ts';

/** Flags after the plugin's name that lead to the same cluster and namespace, for commands to type. */
export function flagsOf({ kubectl, namespace }: Connection): string {
  return `-n ${namespace}${kubectl.slice('kubectl'.length)}`;
}
