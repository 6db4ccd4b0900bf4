import { titleOf } from '../../proc/command-line.ts';
import { readText } from '../../proc/files.ts';
import type { ProcessInfo } from '../../protocol/replies.ts';
import type { Pod } from '../pod.ts';

/** Every process of the pod; those of this container by the title they have given themselves, if any. */
export function namedNow(pod: Pod): ProcessInfo[] {
  const here = new Set(pod.residents().map(({ info }) => info.port));
  return pod.list().map((info) => {
    const title = here.has(info.port) ? titleOf(readText(`/proc/${info.pid}/cmdline`) ?? '') : undefined;
    return title === undefined ? info : { ...info, name: title };
  });
}
