/** `nodeops tree` of this machine. */
import { type Io, write } from '../../io.ts';
import { documentText, isDocumentFormat } from '../../render/document.ts';
import { sayIfNone } from '../list/local.ts';
import { findProcesses, type LocalProcess, type LocalProcesses } from '../list/processes.ts';
import { forestLines, type TreeProcess, treeLines } from './lines.ts';

/** Draws the processes under those that started them. Returns the exit code. */
export async function drawLocal(format: string | undefined, io: Io): Promise<number> {
  const found = await findProcesses(io);
  const tree = found.processes.map((process) => treeProcess(process, found));
  if (isDocumentFormat(format)) {
    const document = { schema: 'nodeops/v1', kind: 'List', operation: 'tree', items: tree };
    await write(io.stdout, await documentText(format, document));
  } else {
    const lines = forestLines([{ name: null, tree: treeLines(tree) }]);
    await write(io.stdout, lines.map((line) => `${line}\n`).join(''));
  }
  sayIfNone(found.processes, io);
  return 0;
}

function treeProcess({ pid, ppid, name, version, port }: LocalProcess, { all }: LocalProcesses): TreeProcess {
  const parents: { pid: number; ppid: number; name: string }[] = [];
  for (let parent = all.get(ppid); parent && parents.length < all.size; parent = all.get(parent.ppid))
    parents.push({ pid: parent.pid, ppid: parent.ppid, name: parent.name });
  return { pid, ppid, name, version, agent: port !== null, parents };
}
