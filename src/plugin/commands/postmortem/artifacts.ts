/** `artifacts list|get|rm TARGET [NAME...]`. */
import { NodeopsError } from '../../../protocol/errors.ts';
import type { KeptArtifact } from '../../../protocol/history.ts';
import { bytesShort } from '../../../protocol/text/quantities.ts';
import { chooseDestination } from '../../captures/destination.ts';
import { write } from '../../io.ts';
import { tableLines } from '../../render/columns.ts';
import { documentText, isDocumentFormat } from '../../render/document.ts';
import { targetName } from '../../render/target-name.ts';
import { resolveTargets, type TargetInvocation } from '../../targets/resolve.ts';
import { notesOf, removeKept, type Store, storesOf } from './kept.ts';
import { saveKept } from './save.ts';

type ArtifactsInvocation = TargetInvocation & {
  readonly flags: { readonly output: string | undefined; readonly all: boolean; readonly result: string | undefined };
};
interface Chosen {
  readonly store: Store;
  readonly file: KeptArtifact;
}

export async function runArtifacts(invocation: ArtifactsInvocation): Promise<number> {
  const { args, flags, io } = invocation;
  const [action, typed, ...names] = args;
  if (action !== 'list' && action !== 'get' && action !== 'rm')
    throw new NodeopsError('usage', `artifacts takes list, get or rm, not '${(action ?? '').slice(0, 40)}'`, {
      hint: `${io.program} artifacts list pod/NAME`,
    });
  const { targets } = await resolveTargets({ ...invocation, args: typed === undefined ? [] : [typed] });
  const [target, ...more] = targets;
  if (!target || more.length > 0)
    throw new NodeopsError('usage', `artifacts takes one pod or process, not ${targets.length}`);
  if (action !== 'list' && names.length === 0 && !flags.all)
    throw new NodeopsError('usage', `artifacts ${action} was given no name`, { hint: 'name some, or add --all' });
  const stores = await storesOf(target, flags, io);
  const all = stores.flatMap((store) => store.envelope.data.artifacts.map((file): Chosen => ({ store, file })));
  for (const note of notesOf(stores)) io.stderr.write(`note: ${note}\n`);
  if (action === 'list') {
    await write(io.stdout, await listing(all, flags.result, target));
    return 0;
  }
  const chosen = flags.all ? all : names.map((name) => named(all, name));
  if (action === 'rm') {
    for (const { store, file } of chosen) {
      const bytes = await removeKept(store, file, io);
      await write(io.stdout, `removed ${file.name} (${bytesShort(bytes)})\n`);
    }
    return 0;
  }
  const destination = await chooseDestination(flags.output ?? '.', { count: 2, overwrite: false });
  if (destination.kind !== 'directory') throw new NodeopsError('usage', '--output takes a directory here');
  for (const { store, file } of chosen) {
    const path = await saveKept(store, file, destination.directory, io);
    await write(io.stdout, flags.result === 'name' ? `${path}\n` : `${path} (${bytesShort(file.bytes)})\n`);
  }
  return 0;
}

/** By its whole name, or the file's. */
function named(all: readonly Chosen[], name: string): Chosen {
  const found = all.find(({ file }) => file.name === name || file.name.split('/')[1] === name);
  if (!found)
    throw new NodeopsError('nothing-matched', `there is no kept artifact '${name}'`, {
      hint: '`artifacts list` names those that there are',
    });
  return found;
}

async function listing(all: readonly Chosen[], format: string | undefined, target: Store['target']): Promise<string> {
  if (isDocumentFormat(format)) {
    const items = all.map(({ store, file }) => ({ process: store.envelope.process, ...file }));
    return documentText(format, { schema: 'nodeops/v1', operation: 'artifacts', target: targetName(target), items });
  }
  if (format === 'name') return all.map(({ file }) => `${file.name}\n`).join('');
  if (all.length === 0) return 'nothing is kept\n';
  const lines = await tableLines<Chosen>(
    [
      { title: 'NAME', text: ({ file }) => file.name },
      { title: 'SIZE', align: 'right', text: ({ file }) => bytesShort(file.bytes) },
      { title: 'AT', text: ({ file }) => file.at },
      { title: 'CONTAINER', text: ({ store }) => store.container },
    ],
    all,
  );
  return lines.map((line) => `${line}\n`).join('');
}
