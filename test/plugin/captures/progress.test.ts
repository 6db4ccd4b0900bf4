import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Progress, stateText } from '../../../src/plugin/captures/progress.ts';
import type { JobInfo } from '../../../src/protocol/captures.ts';
import { testIo } from './io.ts';

const info: JobInfo = {
  id: 'x',
  capture: 'pprof-cpu',
  parameters: {},
  state: 'running',
  startedAt: '2026-11-22T23:15:00Z',
  elapsedMs: 12_000,
  remainingMs: 18_000,
  phase: 'sampling',
  progress: null,
  stoppedEarly: false,
  bytes: 0,
  sha256: null,
  resumable: true,
  path: null,
  error: null,
  notes: [],
};

describe('the state of a capture in words', () => {
  it.each([
    [info, 0, 'sampling [########------------] 18s left of 30s'],
    [
      { ...info, remainingMs: null, progress: 0.5, phase: 'writing the snapshot', bytes: 2 ** 20 },
      0,
      'writing the snapshot [##########----------] for 12s, 1.0MB',
    ],
    [{ ...info, remainingMs: null }, 0, 'sampling for 12s'],
    [{ ...info, state: 'finished' as const, bytes: 4096 }, 1024, 'receiving [#####---------------] 1.0KB of 4.0KB'],
    [{ ...info, resumable: false, bytes: 4096 }, 1024, 'receiving 1.0KB'],
  ])('%#', (state, received, text) => {
    expect(stateText(state, received)).toBe(text);
  });
});

describe('progress', () => {
  function terminal(columns = 60) {
    const { io } = testIo();
    const stderr = Object.assign(new PassThrough(), { isTTY: true, columns });
    let text = '';
    stderr.on('data', (chunk) => (text += chunk));
    return { io: { ...io, stderr }, text: () => text };
  }

  it('is one line that is redrawn on a terminal and never wraps', () => {
    const { io, text } = terminal(20);
    const progress = new Progress(io, 1);
    progress.update('pod/api-0 web/7', 'sampling for a long time');
    progress.say('a sentence that stays');
    progress.clear();
    expect(text()).toBe(
      '\r\u001b[Kpod/api-0 web/7: s…\r\u001b[Ka sentence that stays\n\r\u001b[Kpod/api-0 web/7: s…\r\u001b[K',
    );
  });

  it('of several says how many are done', () => {
    const { io, text } = terminal();
    const progress = new Progress(io, 3);
    progress.update('a', 'sampling');
    progress.end('a');
    expect(text()).toContain('0 of 3 done; a: sampling');
    expect(text()).toContain('1 of 3 done');
  });

  it('without a terminal is silent for what is over soon', () => {
    const { io, stderr } = testIo();
    const progress = new Progress(io, 1);
    progress.update('a', 'sampling');
    progress.clear();
    expect(stderr()).toBe('');
  });
});
