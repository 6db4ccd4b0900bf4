/** The operations on what is recorded and kept; none of them asks the app. */
import type { Reading } from '../../inspect/subject.ts';
import { NodeopsError } from '../../protocol/errors.ts';
import type { Parameters } from '../../protocol/operations.ts';
import type { Replies } from '../../protocol/replies.ts';
import type { Kept } from '../crash/kept.ts';
import { readHistory } from '../recorder/history.ts';
import type { Resident } from '../resident.ts';
import { recorder } from './attend.ts';

type RecordedName = 'history' | 'artifacts' | 'remove-artifact';
type Handlers = {
  readonly [N in RecordedName]: (
    context: { readonly resident: Resident },
    parameters: Parameters<N>,
  ) => Promise<Reading<Replies[N]>>;
};

export const recorded: Handlers = {
  async history({ resident }, parameters) {
    const { watch } = recorder();
    if (resident.asleep) throw notHere(resident);
    if (!watch)
      throw new NodeopsError('unsupported', `process ${resident.info.pid} records nothing: NODEOPS_RECORDER is off`, {
        hint: 'start it without NODEOPS_RECORDER=off',
      });
    return { data: await readHistory(watch, parameters), stuck: null, notes: [] };
  },
  async artifacts({ resident }) {
    if (resident.stores) {
      const { directory, limitBytes } = resident.stores;
      const { artifacts, notes } = resident.stores.list();
      return { data: { directory, limitBytes, artifacts }, stuck: null, notes };
    }
    const { kept, adopt, notes, triggers: state } = recorder();
    // what sleeps is answered for by another process, which has rules of its own
    const triggers = resident.asleep ? {} : { triggers: state() };
    const wrong = triggers.triggers?.errors ?? [];
    if (!kept) {
      const why = 'nothing is kept: NODEOPS_ARTIFACTS_DIR names no directory (annotation nodeops.dev/artifacts-size)';
      return {
        data: { directory: null, limitBytes: null, artifacts: [], ...triggers },
        stuck: null,
        notes: [why, ...notes()],
      };
    }
    adopt();
    const { directory, limitBytes } = kept;
    return { data: { directory, limitBytes, artifacts: kept.list(), ...triggers }, stuck: null, notes: wrong };
  },
  async 'remove-artifact'({ resident: { stores } }, { name }) {
    if (stores) {
      const bytes = stores.remove(name);
      if (bytes === undefined) throw noSuchArtifact(name);
      return { data: { removed: name, bytes }, stuck: null, notes: [] };
    }
    const kept = keptHere();
    const found = kept.find(name);
    if (!found || !kept.remove(name)) throw noSuchArtifact(name);
    return { data: { removed: name, bytes: found.bytes }, stuck: null, notes: [] };
  },
};

/** Throws `unsupported` where nothing is kept. */
export function keptHere(): Kept {
  const { kept } = recorder();
  if (!kept)
    throw new NodeopsError('unsupported', 'nothing is kept here: NODEOPS_ARTIFACTS_DIR names no directory', {
      hint: 'give the pod an artifact volume: annotation nodeops.dev/artifacts-size',
    });
  return kept;
}

export function noSuchArtifact(name: string): NodeopsError {
  return new NodeopsError('no-such-job', `there is no kept artifact '${name.slice(0, 100)}'`, {
    hint: '`artifacts list` names those that there are',
  });
}

function notHere({ info, asleep }: Resident): NodeopsError {
  const why = asleep?.open
    ? 'no agent runs in it, and only an agent records'
    : 'its main thread does not react, and what it recorded is in its own memory';
  return new NodeopsError('stuck', `the history of process ${info.pid} cannot be read: ${why}`, {
    hint: '`stack` and `stats` show what can be seen of it now',
  });
}
