/** What a process is called is what it calls itself now, be it the leader or one that is on standby. */
import { beforeEach, expect, it } from 'vitest';
import { ask, eventually, fresh, listed, program, server, start, useBed } from './bed.ts';

useBed();
beforeEach(fresh);

it('processes are named by the title they have given themselves since they started', async () => {
  const script = program(
    'orders.cjs',
    `${server}\nprocess.stdin.on('data', (text) => { process.title = String(text); });`,
  );
  const names = async () => {
    const { body } = await ask('processes');
    return body.data.processes.map(({ pid, name }: { pid: number; name: string }) => [pid, name]);
  };
  const first = start(script, { stdin: 'pipe' });
  await first.says('up');
  await listed([first.pid]);
  const second = start(script, { stdin: 'pipe' });
  await second.says('up');
  await listed([first.pid, second.pid]);
  expect((await names()).map(([, name]: [number, string]) => name)).toEqual(['orders.cjs', 'orders.cjs']);
  first.child.stdin!.write('orders-api');
  second.child.stdin!.write('orders-worker');
  await eventually(async () =>
    expect(new Map(await names())).toEqual(
      new Map([
        [first.pid, 'orders-api'],
        [second.pid, 'orders-worker'],
      ]),
    ),
  );
});
