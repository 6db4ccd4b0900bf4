import type { Parsed } from '../../protocol/parameters.ts';
import type { Reading, Subject } from '../subject.ts';
import type { EffectName, effectOperations, GcReply, SetgcReply } from './contract.ts';
import { gc } from './gc.ts';
import { setgc } from './setgc.ts';

interface EffectReplies {
  gc: GcReply;
  setgc: SetgcReply;
}

/** One for each entry of the table of effects. */
export const effects: {
  readonly [N in EffectName]: (
    subject: Subject,
    parameters: Parsed<(typeof effectOperations)[N]['parameters']>,
  ) => Promise<Reading<EffectReplies[N]>>;
} = { gc, setgc };
