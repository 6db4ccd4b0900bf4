import type { Parameters } from '../../protocol/operations.ts';
import type { Replies } from '../../protocol/replies.ts';
import type { Reading, Subject } from '../subject.ts';
import { gc } from './gc.ts';
import { setgc } from './setgc.ts';

/** The operations that change something in a process, beside captures. */
export const effects: {
  readonly [N in 'gc' | 'setgc']: (subject: Subject, parameters: Parameters<N>) => Promise<Reading<Replies[N]>>;
} = { gc, setgc };
