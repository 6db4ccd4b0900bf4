import { describe, expect, it } from 'vitest';
import {
  beginLeadership,
  type Leadership,
  type LeadershipEvent,
  lead,
} from '../../../src/agent/membership/leadership.ts';

const paces = { firstMs: 100, lastMs: 5_000 };
const step = (state: Leadership, event: LeadershipEvent) => lead(state, event, paces);
const stranger = 'is taken by a program that is no nodeops agent';

describe('leadership', () => {
  it('begins with the known port', () => {
    expect(beginLeadership).toEqual([{ is: 'trying', failures: 0 }, [{ do: 'listen' }]]);
  });

  it.each<[string, Leadership, LeadershipEvent, Leadership, object[]]>([
    ['has the port', { is: 'trying', failures: 2 }, { type: 'listened' }, { is: 'leading' }, [{ do: 'hold-name' }]],
    [
      'finds it taken',
      { is: 'trying', failures: 2 },
      { type: 'taken' },
      { is: 'linking', failures: 2 },
      [{ do: 'link' }],
    ],
    [
      'may not take it',
      { is: 'trying', failures: 0 },
      { type: 'failed', reason: 'cannot (EACCES)' },
      { is: 'waiting', failures: 1, obstacle: 'cannot (EACCES)' },
      [{ do: 'wait', ms: 200 }],
    ],
    ['follows', { is: 'linking', failures: 2 }, { type: 'linked' }, { is: 'following' }, []],
    [
      'finds nobody, for a moment',
      { is: 'linking', failures: 0 },
      { type: 'link-refused' },
      { is: 'waiting', failures: 1, obstacle: undefined },
      [{ do: 'wait', ms: 200 }],
    ],
    [
      'finds nobody, again and again',
      { is: 'linking', failures: 9 },
      { type: 'link-refused' },
      { is: 'waiting', failures: 10, obstacle: stranger },
      [{ do: 'wait', ms: 5_000 }],
    ],
    [
      'sees the leader end',
      { is: 'following' },
      { type: 'link-lost' },
      { is: 'trying', failures: 0 },
      [{ do: 'listen' }],
    ],
    [
      'tries again',
      { is: 'waiting', failures: 3, obstacle: undefined },
      { type: 'due' },
      { is: 'trying', failures: 3 },
      [{ do: 'listen' }],
    ],
    ['ends', { is: 'leading' }, { type: 'end' }, { is: 'ended' }, [{ do: 'let-go' }]],
  ])('%s', (_, before, event, after, effects) => {
    expect(step(before, event)).toEqual([after, effects]);
  });

  it('passes over what comes late', () => {
    const states: Leadership[] = [
      { is: 'trying', failures: 1 },
      { is: 'leading' },
      { is: 'linking', failures: 1 },
      { is: 'following' },
      { is: 'waiting', failures: 1, obstacle: undefined },
      { is: 'ended' },
    ];
    const expected: Record<Leadership['is'], string[]> = {
      trying: ['listened', 'taken', 'failed'],
      leading: [],
      linking: ['linked', 'link-refused'],
      following: ['link-lost'],
      waiting: ['due'],
      ended: [],
    };
    const events = ['listened', 'taken', 'failed', 'linked', 'link-refused', 'link-lost', 'due'] as const;
    for (const state of states)
      for (const type of events)
        if (!expected[state.is].includes(type))
          expect(step(state, { type, reason: '' } as LeadershipEvent), `${state.is} ${type}`).toEqual([state, []]);
  });
});
