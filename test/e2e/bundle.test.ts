import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { type Bed, openBed } from './bed.ts';
import { container, healthy, pod } from './pods.ts';

let bed: Bed;
let directory: string;
let found: Map<string, string>;

const secret = 'correct-horse-battery-5';
const talking = `
  console.log('<script>document.title = "pwned"</script> connecting with', process.env.DB_PASSWORD);
  ${healthy}
`;
/** Says something, ends, and comes again: then there is a log of before. */
const restarting = "console.log('run of ' + process.pid); setTimeout(() => process.exit(1), 1500)";

beforeAll(async () => {
  bed = await openBed();
  directory = await mkdtemp(join(tmpdir(), 'nodeops-bundle-e2e-'));
  await bed.create(
    pod('api-0', [
      container(bed, { name: 'web', script: talking, env: { DB_PASSWORD: secret } }),
      container(bed, { name: 'flaky', script: restarting, agent: false }),
    ]),
  );
  const restarts = async () => {
    const path = 'jsonpath={.status.containerStatuses[?(@.name=="flaky")].restartCount}';
    return Number((await bed.kubectl(['get', 'pod', 'api-0', '--output', path])).stdout);
  };
  await vi.waitFor(async () => expect(await restarts()).toBeGreaterThan(0), { timeout: 60_000, interval: 300 });
  await bed.answering(1, 'api-0', '-c', 'web');
  const file = join(directory, 'api.tar.gz');
  const made = await bed.nodeops(['bundle', 'pod/api-0', '--output', file, '--profile', '300ms'], {
    timeoutMs: 120_000,
  });
  // what takes a while on a busy machine tells how far it is, by the name of the process
  const said = made.stderr.replace(/^(?:note|pod\/api-0 web\/\d+): .*\n/gm, '');
  expect({ code: made.code, stderr: said }).toEqual({ code: 0, stderr: '' });
  found = new Map();
  const unpack = extract();
  unpack.end(gunzipSync(await readFile(file)));
  for await (const entry of unpack) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    found.set(entry.header.name.replace(/^[^/]+\//, ''), Buffer.concat(chunks).toString());
  }
}, 240_000);
afterAll(async () => {
  await bed?.close();
  await rm(directory, { recursive: true, force: true });
});

const part = (pattern: RegExp) => [...found].find(([name]) => pattern.test(name))?.[1] ?? '';

describe('bundle of a pod, through the real kubectl', () => {
  it('holds figures of the process, the pod, its events and logs, and what doctor says', () => {
    expect(JSON.parse(part(/processes\/.*\/stack\.json$/))).toMatchObject({ operation: 'stack' });
    expect(JSON.parse(part(/processes\/.*\/memstats\.json$/)).data.heap.usedBytes).toBeGreaterThan(1e6);
    const object = parse(part(/pods\/.*\/api-0\/pod\.yaml$/));
    expect(object.metadata.name).toBe('api-0');
    expect(part(/events\.yaml$/)).toContain('Started');
    expect(part(/web\.log$/)).toContain('connecting with');
    expect(part(/flaky\.previous\.log$/)).toContain('run of ');
    expect(part(/doctor\.txt$/)).toContain('pod/api-0');
  });

  it('holds the secret nowhere', () => {
    expect(found.size).toBeGreaterThan(8);
    for (const [name, text] of found) expect([name, text.includes(secret)]).toEqual([name, false]);
    const [web] = parse(part(/pod\.yaml$/)).spec.containers;
    expect(web.env.find(({ name }: { name: string }) => name === 'DB_PASSWORD').value).toBe('<masked>');
  });

  it('lists what it could not have with the reason, and has a page without markup from logs', () => {
    const manifest = JSON.parse(part(/manifest\.json$/));
    const missing = manifest.subjects.flatMap(
      ({ missing }: { missing: { what: string; reason: string }[] }) => missing,
    );
    expect(missing).toContainEqual({ what: 'log of web, previous', reason: expect.stringContaining('previous') });
    const page = part(/index\.html$/);
    expect(page).toContain('&#60;script&#62;document.title');
    expect(page).not.toContain('<script');
  });
});
