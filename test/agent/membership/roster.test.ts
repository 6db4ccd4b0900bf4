/** Who is in the pod: what becomes of a peer by what is seen and heard of it. */
import { describe, expect, it } from 'vitest';
import type { Introduction } from '../../../src/agent/membership/introduction.ts';
import { isOwnPort } from '../../../src/agent/membership/ports.ts';
import { enrol, nobody, type Roster } from '../../../src/agent/membership/roster.ts';

const known = 8848;
const first = Array.from({ length: 65_536 }, (_, port) => port).find(isOwnPort)!;
const saidOf = (uid: number | null) => ({ info: { uid, pid: 7 } }) as Introduction;
const socket = (index: number, uid: number | null = 1000) => ({ port: first + index, inode: `${100 + index}`, uid });
type Sockets = ReturnType<typeof socket>[];
const seen = (roster: Roster, listeners: Sockets, at = 0, own: number[] = []) =>
  enrol(roster, { type: 'seen', listeners, own: new Set(own), known, at } as never);
const said = (roster: Roster, inode: string, introduction: Introduction | undefined, at = 0) =>
  enrol(roster, { type: 'introduced', inode, introduction, at })[0];
const silent = (roster: Roster, inode: string, at = 0) => enrol(roster, { type: 'silent', inode, at })[0];
const stateOf = (roster: Roster, inode = '100') => roster.peers.get(inode)?.is;

describe('a socket that is seen', () => {
  it('is asked once, and waited for', () => {
    const [roster, asks] = seen(nobody, [socket(0)]);
    expect(asks).toEqual([{ inode: '100', port: first, waits: true }]);
    expect(stateOf(roster)).toBe('asked');
    expect(seen(roster, [socket(0)], 100)[1]).toEqual([]);
  });

  it.each([
    ["that is not among agents' ports", [{ ...socket(0), port: 80 }], []],
    ['that is its own', [socket(0)], [first]],
  ])('%s is nobody', (_, listeners, own) => {
    const [roster, asks] = seen(nobody, listeners, 0, own);
    expect([roster.peers.size, asks]).toEqual([0, []]);
  });

  it('is forgotten when it listens no more, and another one on its port is new', () => {
    const roster = said(seen(nobody, [socket(0)])[0], '100', saidOf(1000));
    const [after, asks] = seen(roster, [{ ...socket(0), inode: '555' }]);
    expect(stateOf(after)).toBeUndefined();
    expect(stateOf(after, '555')).toBe('asked');
    expect(asks).toHaveLength(1);
  });

  it('waits its turn where more than 64 are asked at once', () => {
    const all = Array.from({ length: 70 }, (_, index) => socket(index));
    const [roster, asks] = seen(nobody, all);
    expect(asks).toHaveLength(64);
    expect(roster.peers.size).toBe(64);
    expect(seen(roster, all)[1]).toHaveLength(6);
  });
});

describe('an answer', () => {
  it.each([
    ['of the user who made the socket', 1000, 1000, 'known'],
    ['where the kernel does not tell the user', 1000, null, 'known'],
    ['that names no user', null, 1000, 'known'],
    ['of another user than the socket is of', 0, 1000, 'false'],
  ] as const)('%s', (_, told, made, is) => {
    const roster = seen(nobody, [socket(0, made)])[0];
    expect(stateOf(said(roster, '100', saidOf(told)))).toBe(is);
  });

  it('that proves nothing is not asked for again for a minute', () => {
    const roster = said(seen(nobody, [socket(0)])[0], '100', undefined);
    expect(stateOf(roster)).toBe('false');
    expect(seen(roster, [socket(0)], 59_999)[1]).toEqual([]);
    expect(seen(roster, [socket(0)], 60_000)[1]).toMatchObject([{ waits: false }]);
  });

  it('of a socket that is gone changes nothing', () => {
    expect(said(nobody, '100', saidOf(1000))).toBe(nobody);
    expect(silent(nobody, '100')).toBe(nobody);
  });
});

describe('who does not answer', () => {
  it('keeps what it said before, and is asked again after a second, without a wait', () => {
    const roster = silent(said(seen(nobody, [socket(0)])[0], '100', saidOf(1000)), '100', 10);
    expect(roster.peers.get('100')).toMatchObject({ is: 'silent', before: { info: { pid: 7 } } });
    expect(seen(roster, [socket(0)], 1_009)[1]).toEqual([]);
    expect(seen(roster, [socket(0)], 1_010)[1]).toMatchObject([{ inode: '100', waits: false }]);
    // silent once more, what it said is still known
    expect(silent(roster, '100', 1_020).peers.get('100')).toMatchObject({ before: { info: { pid: 7 } } });
  });

  it('is known again when it answers', () => {
    const roster = silent(seen(nobody, [socket(0)])[0], '100');
    expect(stateOf(said(roster, '100', saidOf(1000)))).toBe('known');
  });
});

it('a new leader has everybody asked anew', () => {
  const leader = { port: known, inode: '900', uid: 1000 };
  const roster = said(seen(nobody, [leader, socket(0)])[0], '100', saidOf(1000));
  expect(seen(roster, [leader, socket(0)])[1]).toEqual([]);
  expect(seen(roster, [{ ...leader, inode: '901' }, socket(0)])[1]).toMatchObject([{ inode: '100', waits: true }]);
});
