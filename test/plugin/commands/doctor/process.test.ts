/** What is made of an agent's figures: an HTTP server gives those of a process that is hard to come by. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { AgentClient } from '../../../../src/plugin/client/client.ts';
import { loopFinding, memoryFinding } from '../../../../src/plugin/commands/doctor/target/process.ts';
import { addressTarget } from '../../../../src/plugin/targets/address.ts';
import type { ProcessInfo } from '../../../../src/protocol/replies.ts';
import { envelopeOf } from '../../../bed/replies.ts';

const mebi = 1024 * 1024;
const process = { container: 'app', pid: 7 } as ProcessInfo;
let close = () => {};
afterEach(() => close());

async function agentSaying(data: object, stuck: object | null = null) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url!);
    response.setHeader('X-Nodeops-Protocol', '1');
    const name = request.url!.includes('memstats') ? 'memstats' : 'stats';
    response.end(
      JSON.stringify({
        ...envelopeOf(name, data),
        process,
        stuck: stuck && { state: null, wchan: null, syscall: null, forMs: 1, ...stuck },
      }),
    );
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const client = new AgentClient(addressTarget('127.0.0.1', (server.address() as AddressInfo).port).endpoint);
  close = () => {
    client.close();
    server.close();
  };
  return { client, asked };
}

describe('memory for a heap snapshot', () => {
  const heap = { usedBytes: 100 * mebi };
  const limit = (limitMebi: number, usedMebi: number) => ({
    version: 2,
    limitBytes: limitMebi * mebi,
    usedBytes: usedMebi * mebi,
  });

  it.each([
    ['no limit', { heap, cgroup: { version: 2, limitBytes: null, usedBytes: 1 } }, 'ok', 'no memory limit'],
    ['no cgroup', { heap, cgroup: null }, 'ok', 'no memory limit'],
    ['plenty', { heap, cgroup: limit(4096, 200) }, 'ok', 'enough for any heap'],
    ['some', { heap, cgroup: limit(1024, 200) }, 'ok', 'take up to 2.3GB'],
    ['too little', { heap, cgroup: limit(400, 200) }, 'warn', '200.0MB free below the limit of 400.0MB'],
    ['more used than allowed', { heap, cgroup: limit(100, 120) }, 'warn', '0B free'],
    ['an unknown heap', { heap: null, cgroup: null }, 'skip', 'stuck'],
  ])('with %s', async (_, data, status, said) => {
    const { client, asked } = await agentSaying(data);
    const finding = await memoryFinding(client, process, AbortSignal.timeout(30_000));
    expect(finding).toMatchObject({ status });
    expect(finding.detail).toContain(said);
    expect(asked).toEqual(['/v1/memstats?process=app%2F7']);
  });
});

describe('the event loop', () => {
  it.each([
    [0.12, 'ok', '12% busy'],
    [0.99, 'warn', 'blocked or overloaded: 99% busy'],
    [null, 'skip', 'cannot tell'],
  ])('with utilization %s', async (utilization, status, said) => {
    const { client } = await agentSaying({ eventLoop: { utilization, delayP99Ms: 1 } });
    const finding = await loopFinding(client, process, AbortSignal.timeout(30_000));
    expect(finding).toMatchObject({ status });
    expect(finding.detail).toContain(said);
  });

  it('stuck in native code', async () => {
    const { client } = await agentSaying({ eventLoop: {} }, { summary: 'it waits in wait4' });
    const finding = await loopFinding(client, process, AbortSignal.timeout(30_000));
    expect(finding).toMatchObject({ status: 'fail', detail: 'stuck in native code: it waits in wait4' });
  });
});
