import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { download } from '../../../src/plugin/captures/download.ts';
import type { Jobs } from '../../../src/plugin/captures/jobs.ts';
import { captureLimits } from '../../../src/plugin/captures/limits.ts';
import { Reconnect } from '../../../src/plugin/captures/reconnect.ts';
import type { Sink } from '../../../src/plugin/captures/sink.ts';

it('a reader of stdout that went away ends the transfer: it is no connection that was cut', async () => {
  const said: string[] = [];
  let asked = 0;
  const jobs = {
    target: { endpoint: { name: 'pod/x' } },
    reconnect: () => {},
    artifact: async () => {
      asked++;
      return Object.assign(Readable.from([Buffer.from('bytes')]), {
        headers: {},
        statusCode: 200,
      }) as unknown as IncomingMessage;
    },
  } as unknown as Jobs;
  const sink: Sink = {
    bytes: 0,
    write: () => Promise.reject(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
    sha256: () => '',
  };
  const { signal } = new AbortController();
  const reconnect = new Reconnect({ name: 'pod/x', limits: captureLimits, say: (text) => said.push(text), signal });
  const options = {
    reconnect,
    limits: captureLimits,
    signal,
    totalBytes: () => 5,
    maxBytes: 1024 ** 3,
    onBytes: () => {},
  };
  await expect(download(jobs, 'id', sink, options)).rejects.toMatchObject({ code: 'EPIPE' });
  expect({ asked, said }).toEqual({ asked: 1, said: [] });
});
