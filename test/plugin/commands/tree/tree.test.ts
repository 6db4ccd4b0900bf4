import { describe, expect, it } from 'vitest';
import { treeLines } from '../../../../src/plugin/commands/tree/lines.ts';
import { podTreeLines } from '../../../../src/plugin/commands/tree/pod-tree.ts';
import type { ProcessInfo } from '../../../../src/protocol/replies.ts';

const one = (pid: number, parents: [number, string][], agent = false) => ({
  ...{ pid, ppid: parents[0]?.[0] ?? 1, name: `app-${pid}`, version: 'v24.21.0', agent },
  parents: parents.map(([id, name], i) => ({ pid: id, ppid: parents[i + 1]?.[0] ?? 0, name })),
});

describe('the tree', () => {
  it('shows of what is not listed the parent only, as gops does', () => {
    const parents: [number, string][] = [
      [9, 'bash'],
      [5, 'sshd'],
      [1, 'systemd'],
    ];
    expect(treeLines([one(11, parents, true), one(12, parents)])).toEqual([
      '└── 9 (bash)',
      '    ├── [*]  11 (app-11) {v24.21.0}',
      '    └── 12 (app-12) {v24.21.0}',
    ]);
  });

  it('shows what stands between two that are listed', () => {
    expect(
      treeLines([
        one(20, [
          [10, 'npm run'],
          [8, 'sh'],
          [7, 'node'],
          [1, 'init'],
        ]),
        one(7, [[1, 'init']]),
      ]),
    ).toEqual([
      '└── 1 (init)',
      '    └── 7 (app-7) {v24.21.0}',
      '        └── 8 (sh)',
      '            └── 10 (npm run)',
      '                └── 20 (app-20) {v24.21.0}',
    ]);
  });

  it('without ancestors to be seen, shows the parent’s number', () => {
    expect(
      treeLines([
        { ...one(4, []), ppid: 3 },
        { ...one(5, []), ppid: 4 },
        { ...one(1, []), ppid: 0 },
      ]),
    ).toEqual([
      '├── 1 (app-1) {v24.21.0}',
      '└── 3',
      '    └── 4 (app-4) {v24.21.0}',
      '        └── 5 (app-5) {v24.21.0}',
    ]);
  });

  it('lets no name move the cursor', () => {
    expect(treeLines([{ ...one(4, [[3, 'x\u001b[2J']]), name: 'a\nb' }])).toEqual([
      '└── 3 (x [2J)',
      '    └── 4 (a b) {v24.21.0}',
    ]);
  });
});

describe('the tree of a pod', () => {
  const info = (container: string | null, pid: number): ProcessInfo => ({
    ...{ container, pid, ppid: 0, name: 'server.js', command: '', nodeVersion: 'v22.1.0', agentVersion: '0.1.0' },
    ...{ startedAt: '2026-11-23T00:00:00.000Z', uid: 0, leader: false, port: 1 },
  });

  it('of one container is as on a machine', () => {
    const processes = [{ ...info('web', 7), ppid: 1, parents: [{ pid: 1, ppid: 0, name: 'tini' }] }];
    expect(podTreeLines({ processes })).toEqual(['...', '└── 1 (tini)', '    └── [*]  7 (server.js) {v22.1.0}']);
  });

  it('keeps apart containers, in which numbers mean different processes', () => {
    expect(podTreeLines({ processes: [info('web', 1), info('jobs', 1)] })).toEqual([
      '...',
      '├── web',
      '│   └── [*]  1 (server.js) {v22.1.0}',
      '└── jobs',
      '    └── [*]  1 (server.js) {v22.1.0}',
    ]);
  });
});
