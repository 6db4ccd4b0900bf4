import type { ProcessesReply, ProcessInfo } from '../../../protocol/replies.ts';
import { forestLines, treeLines } from './lines.ts';

/** The processes of a pod as `tree` draws them, container by container where there are several. */
export function podTreeLines({ processes }: ProcessesReply): string[] {
  const containers = new Map<string | null, ProcessInfo[]>();
  for (const info of processes) containers.set(info.container, [...(containers.get(info.container) ?? []), info]);
  const groups = [...containers].map(([name, infos]) => ({
    name,
    tree: treeLines(
      infos.map(({ nodeVersion, parents = [], ...info }) => ({ ...info, version: nodeVersion, agent: true, parents })),
    ),
  }));
  return groups.length === 0 ? ['...'] : forestLines(groups);
}
