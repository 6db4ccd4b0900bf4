/** `tree`, drawn as gops draws it: the processes, under the one each was started by. */

import type { Ancestor } from '../../../protocol/replies.ts';
import { plain } from '../../render/plain.ts';

export interface TreeProcess {
  readonly pid: number;
  readonly ppid: number;
  readonly name: string;
  /** null where it is not known */
  readonly version: string | null;
  readonly agent: boolean;
  /** Nearest first; empty where they cannot be seen. */
  readonly parents: readonly Ancestor[];
}

interface Branch {
  readonly label: string;
  readonly branches: Map<number, Branch>;
}

/** Lines below `...`. Of what is not listed itself, a process's parent is shown, and what stands between two that are listed. */
export function treeLines(processes: readonly TreeProcess[]): string[] {
  const top = new Map<number, Branch>();
  const branches = new Map<number, Branch>(
    processes.map((one) => [one.pid, { label: listedLabel(one), branches: new Map() }]),
  );
  const others = (pid: number, label: string): Branch => {
    const known = branches.get(pid) ?? { label, branches: new Map<number, Branch>() };
    branches.set(pid, known);
    return known;
  };
  const listed = new Set(processes.map(({ pid }) => pid));
  for (const { pid, ppid, parents } of [...processes].sort((a, b) => a.pid - b.pid)) {
    const nearest = parents.findIndex((parent) => listed.has(parent.pid));
    const between = nearest >= 0 ? parents.slice(0, nearest) : parents.slice(0, 1);
    let child = { pid, branch: branches.get(pid)! };
    for (const parent of between) {
      const branch = others(parent.pid, `${parent.pid} (${plain(parent.name)})`);
      branch.branches.set(child.pid, child.branch);
      child = { pid: parent.pid, branch };
    }
    if (nearest >= 0) branches.get(parents[nearest]!.pid)!.branches.set(child.pid, child.branch);
    else if (between.length === 0 && ppid > 0 && !listed.has(ppid)) {
      const branch = others(ppid, String(ppid));
      branch.branches.set(child.pid, child.branch);
      top.set(ppid, branch);
    } else if (between.length === 0 && listed.has(ppid)) branches.get(ppid)!.branches.set(child.pid, child.branch);
    else top.set(child.pid, child.branch);
  }
  return drawn(top, '');
}

/** `...` above the lines of a tree; several containers of a pod, whose numbers mean nothing to each other, stand side by side. */
export function forestLines(
  groups: readonly { readonly name: string | null; readonly tree: readonly string[] }[],
): string[] {
  if (groups.length === 1) return ['...', ...groups[0]!.tree];
  return [
    '...',
    ...groups.flatMap(({ name, tree }, i) => {
      const last = i === groups.length - 1;
      return [`${last ? '└── ' : '├── '}${name ?? '?'}`, ...tree.map((line) => (last ? '    ' : '│   ') + line)];
    }),
  ];
}

function listedLabel({ pid, name, version, agent }: TreeProcess): string {
  return `${agent ? '[*]  ' : ''}${pid} (${plain(name)}) {${version ?? '?'}}`;
}

function drawn(branches: ReadonlyMap<number, Branch>, indent: string): string[] {
  const sorted = [...branches].sort(([a], [b]) => a - b);
  return sorted.flatMap(([, branch], i) => {
    const last = i === sorted.length - 1;
    const line = `${indent}${last ? '└── ' : '├── '}${branch.label}`;
    return [line, ...drawn(branch.branches, indent + (last ? '    ' : '│   '))];
  });
}
