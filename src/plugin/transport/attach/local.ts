/** `--attach` on a process of this machine: the payload in a child that runs the process's own Node. */
import { spawn } from 'node:child_process';
import { readlink } from 'node:fs/promises';

import { NodeopsError } from '../../../protocol/errors.ts';
import { joined } from '../../../protocol/joined.ts';
import { loaderArguments } from './loader.ts';
import type { Session } from './session.ts';
import { NotStarted, type Started, startPayload } from './start.ts';

const stderrBytes = 64 * 1024;

/**
 * A child and not a thread: when we are killed it lives on for as long as it takes to close the inspector.
 * Throws `no-such-process`, `refused` where the process is no Node, `not-permitted`, `unsupported`.
 */
export async function attachToPid(pid: number, payload: () => Promise<string>, signal: AbortSignal): Promise<Session> {
  if (process.platform !== 'linux')
    throw new NodeopsError('unsupported', `process ${pid} cannot be attached to here: that takes Linux's /proc`);
  const executable = await readExecutable(pid);
  try {
    return (
      await startPayload(run(executable, pid), {
        payload,
        signal,
        check: () => {},
        why: ({ code, stderr, cause }) =>
          new NodeopsError('unreachable', `the helper for process ${pid} has ended: exit code ${code ?? 'unknown'}`, {
            cause,
            detail: { stderr: stderr.slice(-2_000) },
          }),
      })
    ).session;
  } catch (error) {
    if (!(error instanceof NotStarted)) throw error;
    const last = error.stderr.trim().split('\n').at(-1) || error.exit.message;
    throw new NodeopsError('failed', `the Node.js of process ${pid} (${executable}) could not be run: ${last}`, {
      detail: { stderr: error.stderr.slice(-2_000) },
    });
  }
}

async function readExecutable(pid: number): Promise<string> {
  let path: string;
  try {
    path = await readlink(`/proc/${pid}/exe`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT')
      throw new NodeopsError('no-such-process', `there is no process ${pid}`, { hint: 'pgrep -a node' });
    throw new NodeopsError('not-permitted', `process ${pid} belongs to another user`, {
      cause: error,
      hint: `sudo -u '#UID' kubectl nodeops … ${pid} --attach=exec, with the id that ps -o uid= -p ${pid} prints`,
    });
  }
  const name = path.split('/').at(-1)!;
  if (!/^(?:node|nodejs)(?:[-\d.\s]|$)/.test(name))
    throw new NodeopsError('refused', `process ${pid} is ${name}, not Node.js`, { hint: 'pgrep -a node' });
  // also where the file was replaced since, or lies in a container
  return `/proc/${pid}/exe`;
}

function run(executable: string, pid: number): Started {
  const { NODE_OPTIONS: _, NODE_V8_COVERAGE: __, ...env } = process.env;
  // a group of its own: Ctrl-C in the terminal must not end it before it has closed what it opened
  const child = spawn(executable, loaderArguments(null, pid), { stdio: 'pipe', env, detached: true });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('latin1')).slice(-stderrBytes);
  });
  const exit = new Promise<{ code: number; message: string }>((resolve) => {
    child.on('error', (error) => resolve({ code: -1, message: error.message }));
    child.on('exit', (code, name) => resolve({ code: code ?? -1, message: name ?? '' }));
  });
  child.stdin.on('error', () => {});
  const stream = joined(child.stdout, child.stdin);
  return { stream, exit, stderr: () => stderr };
}
