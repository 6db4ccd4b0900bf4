/**
 * A plugin in the middle of a capture, to be killed: attaches to a process with the payload of a file, starts a capture, says `running`; with
 * `download` waits for its end, begins to fetch it and reads no further.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { AgentClient } from '../../src/plugin/client/client.ts';
import { attachToPid } from '../../src/plugin/transport/attach/local.ts';

const [, , payload = '', pid = '', path = '', download] = process.argv;
const session = await attachToPid(Number(pid), async () => readFileSync(payload, 'utf8'), AbortSignal.timeout(40_000));
const client = new AgentClient({ name: `process ${pid}`, noAgentHint: '', connect: () => session.connect() });

async function json(method: 'GET' | 'POST', of: string): Promise<{ id: string; state: string }> {
  const response = await client.request({ method, path: `/v1/${of}` });
  let text = '';
  for await (const piece of response) text += piece;
  const value = JSON.parse(text);
  return value.data ?? value;
}

const { id } = await json('POST', path);
if (download) {
  for (let state = 'running'; state === 'running'; await sleep(50)) ({ state } = await json('GET', `jobs/${id}`));
  const response = await client.request({
    method: 'GET',
    path: `/v1/jobs/${id}/artifact`,
    headers: { 'Accept-Encoding': 'identity' },
  });
  response.once('data', () => response.pause());
}
process.stdout.write('running\n');
setInterval(() => {}, 1_000);
