import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readWithFunctions } from '../../src/inspect/functions.ts';
import type { Inspector } from '../../src/inspect/inspector.ts';
import { openRemote } from '../../src/inspect/remote.ts';
import type { Subject } from '../../src/inspect/subject.ts';
import { inspectorPort } from '../bed/inspector-port.ts';

it('where functions begin is asked of V8’s debugger once: turning it on throws away optimised code', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'nodeops-scripts-'));
  const file = join(directory, 'app.cjs');
  writeFileSync(file, 'setInterval(() => {}, 1000);\nglobalThis.orders = function listOrders() {};\n');
  const child = spawn(process.execPath, ['--inspect=127.0.0.1:0', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  try {
    const port = await inspectorPort(child.stderr);
    const inspector = await openRemote({ host: '127.0.0.1', port });
    const sent: string[] = [];
    const line: Inspector = {
      on: inspector.on.bind(inspector),
      close: () => inspector.close(),
      post: (method, ...rest) => {
        sent.push(method);
        return inspector.post(method, ...rest);
      },
    };
    const subject: Subject = {
      pid: child.pid!,
      procDir: `/proc/${child.pid}`,
      lastKnown: new Map(),
      ownThreadId: undefined,
      inspector: async () => line,
    };
    for (let time = 0; time < 3; time++) {
      const expression = '({ value: 7, functions: [globalThis.orders] })';
      const { result } = await line.post<{ result: { type: string; objectId: string } }>('Runtime.evaluate', {
        expression,
      });
      const { value, places } = await readWithFunctions<number>(subject, line, result);
      expect(value).toBe(7);
      expect(places).toMatchObject([
        { frame: { functionName: 'listOrders', url: expect.stringMatching(/app\.cjs$/), lineNumber: 1 } },
      ]);
    }
    expect(sent.filter((method) => method === 'Debugger.enable')).toHaveLength(1);
    await line.close();
  } finally {
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }
});
