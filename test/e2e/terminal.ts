/** The plugin on a terminal of its own, given by util-linux' `script`, of a chosen size. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bed } from './bed.ts';

export interface Terminal {
  /** All that was written so far. */
  output(): string;
  /** Lines of the picture as it is now, without colors. */
  screen(): string[];
  type(keys: string): void;
  /** Waits until the last picture shows it. */
  shows(pattern: RegExp, limitMs?: number): Promise<string[]>;
  /** Tells the program that the terminal has another size. */
  resize(columns: number, rows: number): void;
  readonly ended: Promise<number | null>;
  kill(): void;
}

export interface TerminalOptions {
  readonly columns: number;
  readonly rows: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** What a terminal shows after all of that: enough of its language for log-update, which rewrites only what changed. */
function picture(output: string): string[] {
  let lines: string[] = [''];
  let [row, column] = [0, 0];
  const put = (text: string) => {
    const line = (lines[row] ?? '').padEnd(column);
    lines[row] = line.slice(0, column) + text + line.slice(column + text.length);
    column += text.length;
  };
  const erase = (what: string) => {
    if (what === 'J') lines = lines.slice(0, row + 1);
    lines[row] = (lines[row] ?? '').slice(0, column);
  };
  for (const [, sequence, end, text] of output.matchAll(/\u001b\[([0-9;?]*)([A-Za-z])|([\r\n]|[^\u001b\r\n]+)/g)) {
    const count = Number(sequence || 1);
    if (text === '\r') column = 0;
    else if (text === '\n') row++;
    else if (text !== undefined) put(text);
    else if (end === 'A') row = Math.max(0, row - count);
    else if (end === 'B') row += count;
    else if (end === 'C') column += count;
    else if (end === 'D') column = Math.max(0, column - count);
    else if (end === 'G') column = count - 1;
    else if (end === 'K' && sequence === '2') lines[row] = '';
    else if (end === 'J' || end === 'K') erase(end);
  }
  return Array.from(lines, (line) => (line ?? '').trimEnd());
}

export function openTerminal(bed: Bed, args: readonly string[], options: TerminalOptions): Terminal {
  const { columns, rows, env = {}, cwd } = options;
  const words = [resolve('dist/kubectl-nodeops'), '-n', bed.namespace, ...args].map((word) => `'${word}'`).join(' ');
  const tty = `tty > '${ttyFile(bed)}'; stty cols ${columns} rows ${rows}; exec ${words}`;
  const child: ChildProcess = spawn('script', ['-qefc', tty, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    cwd,
    env: { ...process.env, KUBECONFIG: bed.kubeconfig, NODE_OPTIONS: '', SHELL: '/bin/sh', TERM: 'xterm', ...env },
  });
  let output = '';
  child.stdout!.on('data', (chunk) => (output += chunk));
  child.stdin!.on('error', () => {});
  const ended = new Promise<number | null>((done) => child.on('close', done));
  const screen = () => picture(output.slice(output.lastIndexOf('\u001b[?1049h') + 1));
  return {
    output: () => output,
    screen,
    type: (keys) => child.stdin!.write(keys),
    async shows(pattern, limitMs = 40_000) {
      for (const end = Date.now() + limitMs; Date.now() < end; await sleep(30))
        if (pattern.test(screen().join('\n'))) return screen();
      throw new Error(`${pattern} was not shown within ${limitMs} ms; the screen is:\n${screen().join('\n')}`);
    },
    resize(columns, rows) {
      spawn('sh', ['-c', `stty cols ${columns} rows ${rows} < "$(cat '${ttyFile(bed)}')"`], { stdio: 'ignore' });
    },
    ended,
    kill: () => child.kill('SIGKILL'),
  };
}

function ttyFile(bed: Bed): string {
  return join(bed.directory, 'tty');
}
