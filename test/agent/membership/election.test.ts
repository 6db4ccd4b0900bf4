import { describe, expect, it } from 'vitest';
import {
  beginElection,
  type Election,
  type ElectionEvent,
  elect,
  linkAfterMs,
} from '../../../src/agent/membership/election.ts';

describe('the election of a watcher', () => {
  it('begins as the candidate where nobody watches, and waits to connect where somebody does', () => {
    expect(beginElection(false)).toEqual([{ is: 'standing', failures: 0 }, [{ do: 'take-candidacy' }]]);
    expect(beginElection(true)).toEqual([
      { is: 'waiting', failures: 0, next: 'link' },
      [{ do: 'wait', ms: linkAfterMs }],
    ]);
  });

  it.each<[string, Election, ElectionEvent['type'], Election, object[]]>([
    [
      'is the candidate',
      { is: 'standing', failures: 1 },
      'named',
      { is: 'starting', failures: 1 },
      [{ do: 'start-worker' }],
    ],
    [
      'meets another candidate',
      { is: 'standing', failures: 0 },
      'name-taken',
      { is: 'waiting', failures: 1, next: 'link' },
      [{ do: 'wait', ms: 100 }],
    ],
    [
      'watches',
      { is: 'starting', failures: 0 },
      'worker-watches',
      { is: 'watching', failures: 0 },
      [{ do: 'drop-candidacy' }],
    ],
    [
      'comes second',
      { is: 'starting', failures: 0 },
      'worker-second',
      { is: 'waiting', failures: 1, next: 'link' },
      [{ do: 'drop-candidacy' }, { do: 'wait', ms: 100 }],
    ],
    [
      'cannot start its worker',
      { is: 'starting', failures: 1 },
      'worker-ended',
      { is: 'waiting', failures: 2, next: 'stand' },
      [{ do: 'drop-candidacy' }, { do: 'wait', ms: 2_000 }],
    ],
    [
      'loses its worker',
      { is: 'watching', failures: 0 },
      'worker-ended',
      { is: 'waiting', failures: 1, next: 'stand' },
      [{ do: 'wait', ms: 1_000 }],
    ],
    ['follows', { is: 'linking', failures: 3 }, 'linked', { is: 'following' }, []],
    [
      'finds that the watcher has gone',
      { is: 'linking', failures: 0 },
      'link-refused',
      { is: 'waiting', failures: 1, next: 'stand' },
      [{ do: 'wait', ms: 0 }],
    ],
    [
      'sees the watcher end',
      { is: 'following' },
      'link-lost',
      { is: 'standing', failures: 0 },
      [{ do: 'take-candidacy' }],
    ],
    ['connects', { is: 'waiting', failures: 2, next: 'link' }, 'due', { is: 'linking', failures: 2 }, [{ do: 'link' }]],
    [
      'stands again',
      { is: 'waiting', failures: 2, next: 'stand' },
      'due',
      { is: 'standing', failures: 2 },
      [{ do: 'take-candidacy' }],
    ],
    ['ends', { is: 'watching', failures: 0 }, 'end', { is: 'ended' }, [{ do: 'let-go' }]],
  ])('%s', (_, before, type, after, effects) => {
    expect(elect(before, { type })).toEqual([after, effects]);
  });

  it('passes over what comes late', () => {
    const expected: Record<Election['is'], string[]> = {
      standing: ['named', 'name-taken'],
      starting: ['worker-watches', 'worker-second', 'worker-ended'],
      watching: ['worker-ended'],
      linking: ['linked', 'link-refused'],
      following: ['link-lost'],
      waiting: ['due'],
      ended: [],
    };
    const events = [
      ...(['named', 'name-taken', 'worker-watches', 'worker-second', 'worker-ended'] as const),
      ...(['linked', 'link-refused', 'link-lost', 'due'] as const),
    ];
    for (const [is, own] of Object.entries(expected))
      for (const type of events) {
        const state = { is, failures: 1, next: 'link' } as unknown as Election;
        if (!own.includes(type)) expect(elect(state, { type }), `${is} ${type}`).toEqual([state, []]);
      }
  });

  it('never waits longer than a minute, however often it fails', () => {
    const [, effects] = elect({ is: 'watching', failures: 40 }, { type: 'worker-ended' });
    expect(effects).toEqual([{ do: 'wait', ms: 60_000 }]);
  });
});
