import type { Io } from '../../io.ts';
import { type TargetName, typedName } from '../../render/target-name.ts';

/** How a next step is typed: the program and the target in place of their names. */
export function typing({ target }: { readonly target: TargetName }, io: Io): (next: string) => string {
  const inPod =
    target.pod === null
      ? ''
      : `${target.namespace ? ` -n ${target.namespace}` : ''}${target.container ? ` -c ${target.container}` : ''}`;
  const name = typedName(target).replace(/^process /, '');
  return (next) => `${io.program} ${next.replace('TARGET', `${name}${inPod}`)}`;
}
