import { readFile, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { extract, pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MemorySink } from '../../../../src/plugin/captures/sink.ts';
import { Archive } from '../../../../src/plugin/commands/bundle/archive.ts';
import { bundle } from '../../../../src/plugin/commands/bundle/command.ts';
import { Subject, surroundings } from '../../../../src/plugin/commands/bundle/contents.ts';
import { pageHtml } from '../../../../src/plugin/commands/bundle/page.ts';
import { readManifest } from '../../../../src/plugin/commands/bundle/read.ts';
import { serveBundle } from '../../../../src/plugin/commands/bundle/serve.ts';
import { launchBrowser } from '../../../bed/chromium.ts';
import { Apps } from '../smoke/apps.ts';

let apps: Apps;
let browser: Browser;
beforeAll(async () => {
  [apps, browser] = await Promise.all([Apps.open(), launchBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await apps?.close();
});

async function entries(path: string): Promise<Map<string, string>> {
  const unpack = extract();
  const found = new Map<string, string>();
  unpack.end(gunzipSync(await readFile(path)));
  for await (const entry of unpack) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    found.set(entry.header.name.replace(/^[^/]+\//, ''), Buffer.concat(chunks).toString());
  }
  return found;
}

describe('bundle of a local process', () => {
  it('holds what the agent tells, doctor, a page and a manifest, and says what is missing', async () => {
    const pid = await apps.start('healthy');
    const file = join(apps.directory, 'a.tar.gz');
    const { code, stdout } = await apps.run(bundle, [String(pid), '--output', file, '--profile', '300ms']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/a\.tar\.gz \([\d.]+KB, \d+ files\)\nopen it: nodeops bundle --from /);
    const found = await entries(file);
    const manifest = JSON.parse(found.get('manifest.json')!);
    const [process, doctor] = manifest.subjects;
    for (const name of ['version', 'process', 'stats', 'memstats', 'stack']) {
      const path = `processes/node.${pid}/${name}.json`;
      expect(JSON.parse(found.get(path)!)).toMatchObject({ schema: 'nodeops/v1', operation: name });
    }
    expect(process.missing).toEqual([]);
    const files = new Map(process.files.map(({ what, path }: { what: string; path: string }) => [what, path]));
    expect(new Set(files.values()).size).toBe(files.size);
    const ending = { waits: '.json', history: '.json', report: '.report.json', 'pprof-cpu': '.cpu.pb.gz' };
    for (const [what, end] of Object.entries({ ...ending, 'pprof-heap': '.heap.pb.gz' }))
      expect(files.get(what)).toMatch(new RegExp(`${end.replaceAll('.', '\\.')}$`));
    for (const { path } of process.files) expect(found.get(path)).toBeTruthy();
    expect(JSON.parse(found.get(files.get('report') as string)!)).toHaveProperty('javascriptHeap');
    expect(doctor).toMatchObject({ kind: 'doctor', missing: [] });
    const why = JSON.parse(found.get(files.get('why') as string)!);
    expect(why).toMatchObject({ operation: 'why', data: { findings: expect.any(Array) } });
    expect(JSON.parse(found.get(files.get('why: what was seen') as string)!).subject.pid).toBe(pid);
    expect(found.get('doctor/doctor.txt')).toContain('ok');
    expect(found.get('index.html')).toContain('event loop');

    const summary = await apps.run(bundle, ['--from', file, '--no-open']);
    expect(summary.code).toBe(0);
    expect(summary.stdout).toContain(`stack: processes/node.${pid}/stack.json`);
  });

  it('is told as a document or as its path with -o', async () => {
    const pid = await apps.start('healthy');
    const [json, name] = ['json.tar.gz', 'name.tar.gz'].map((each) => join(apps.directory, each)) as [string, string];
    const told = await apps.run(bundle, [String(pid), '--output', json, '--profile', '0', '-o', 'json']);
    expect(JSON.parse(told.stdout)).toMatchObject({
      schema: 'nodeops/v1',
      operation: 'bundle',
      data: { path: json, bytes: expect.any(Number), files: expect.any(Number), missing: expect.any(Array) },
    });
    const named = await apps.run(bundle, [String(pid), '--output', name, '--profile', '0', '-o', 'name']);
    expect(named.stdout).toBe(`${name}\n`);
  });

  it('lists why an unreachable process gave nothing, and refuses what it cannot write', async () => {
    const pid = await apps.start('printing');
    await apps.kill(pid);
    const gone = await apps.run(bundle, [String(pid), '--output', join(apps.directory, 'gone.tar.gz')]);
    expect(gone.code).toBe(1);
    const port = await apps.run(bundle, [
      '127.0.0.1:1',
      '--output',
      join(apps.directory, 'port.tar.gz'),
      '--profile',
      '0',
    ]);
    expect(port.code).toBe(0);
    const manifest = JSON.parse((await entries(join(apps.directory, 'port.tar.gz'))).get('manifest.json')!);
    expect(manifest.subjects[0].files).toEqual([]);
    expect(manifest.subjects[0].missing[0].reason).toContain('127.0.0.1:1');
    const again = await apps.run(bundle, ['127.0.0.1:1', '--output', join(apps.directory, 'port.tar.gz')]);
    expect(again).toMatchObject({ code: 1, stdout: '' });
    expect(again.stderr).toContain('it exists');
  });

  it('says of a file that it is no bundle', async () => {
    const file = join(apps.directory, 'no.tar.gz');
    for (const bytes of [Buffer.from('hello'), gzipSync('hello'), gzipSync(Buffer.alloc(1024))]) {
      await writeFile(file, bytes);
      const { code, stderr } = await apps.run(bundle, ['--from', file, '--no-open']);
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('is no bundle') });
    }
    expect((await apps.run(bundle, ['--from', join(apps.directory, 'none')])).stderr).toContain('cannot read');
    expect((await apps.run(bundle, ['--from', file, '4711'])).code).toBe(2);
  });
});

const attack = `"><script>document.title='pwned'</script><img src=x onerror="document.title='pwned'"></pre>'`;

async function hostileBundle(file: string, page?: string): Promise<void> {
  const sink = new MemorySink(1e8);
  const archive = new Archive(sink, `b${attack.replaceAll('/', '')}`, new Date(0));
  const around = surroundings(archive, (text) => text);
  const subject = new Subject('pod', attack, 'pods/a', around);
  subject.facts.push([attack, attack]);
  await subject.text(attack, `${attack.replaceAll('/', '')}.log`, `first\n${attack}\n\u202Elast`, { tail: true });
  await subject.text('long', 'long.log', `${'x'.repeat(300_000)}the end`, { tail: true });
  subject.lacks(attack, new Error(attack));
  await archive.add('index.html', Buffer.from(page ?? pageHtml([subject], { at: new Date(0), pluginVersion: attack })));
  await archive.add(
    'manifest.json',
    Buffer.from(JSON.stringify({ kind: 'Bundle', at: 'now', pluginVersion: null, subjects: [] })),
  );
  await archive.add('evil.html', Buffer.from(attack));
  await archive.finish();
  await writeFile(file, sink.content());
}

it.each([
  ['subjects that are none', { subjects: [null] }],
  ['a name that is no text', { subjects: [{ kind: 'pod', name: {}, files: [], missing: [] }] }],
  ['no list of files', { subjects: [{ kind: 'pod', name: 'x', missing: [] }] }],
  ['a file that is none', { subjects: [{ kind: 'pod', name: 'x', files: [null], missing: [] }] }],
  [
    'a size that is no number',
    { subjects: [{ kind: 'pod', name: 'x', files: [{ what: 'a', path: 'b', bytes: 'c' }], missing: [] }] },
  ],
  ['a time that is none', { at: 7 }],
])('a manifest with %s is refused', async (_, part) => {
  const file = join(apps.directory, 'odd.tar.gz');
  const sink = new MemorySink(1e6);
  const archive = new Archive(sink, 'b', new Date(0));
  const manifest = { kind: 'Bundle', at: '2026-01-01T00:00:00Z', pluginVersion: null, subjects: [], ...part };
  await archive.add('manifest.json', Buffer.from(JSON.stringify(manifest)));
  await archive.finish();
  await writeFile(file, sink.content());
  await expect(readManifest(file)).rejects.toMatchObject({
    code: 'local-file',
    message: expect.stringContaining('its manifest makes no sense'),
  });
});

it('what unpacks to more than a limit is refused, wherever in it that is', async () => {
  const file = join(apps.directory, 'large.tar.gz');
  const sink = new MemorySink(1e6);
  const archive = new Archive(sink, 'b', new Date(0));
  await archive.add('processes/zeros', Buffer.alloc(4 * 1024 * 1024));
  await archive.add(
    'manifest.json',
    Buffer.from(JSON.stringify({ kind: 'Bundle', at: 'now', pluginVersion: null, subjects: [] })),
  );
  await archive.finish();
  await writeFile(file, sink.content());
  expect(sink.content().length).toBeLessThan(16 * 1024);
  await expect(readManifest(file, { limitBytes: 2 * 1024 * 1024 })).rejects.toMatchObject({
    code: 'local-file',
    message: `${file} is no bundle: it unpacks to more than 2.0MB`,
  });
  expect(await readManifest(file, { limitBytes: 5 * 1024 * 1024 })).toMatchObject({ kind: 'Bundle' });
});

describe('the page in a real browser', () => {
  async function look(url: string, screenshot?: string) {
    const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
    const elsewhere: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(new URL(url).origin) && !request.url().startsWith('file:'))
        elsewhere.push(request.url());
    });
    try {
      await page.goto(url);
      await page.waitForTimeout(200);
      if (screenshot) await page.screenshot({ path: screenshot });
      return {
        title: await page.title(),
        text: await page.locator('body').innerText(),
        elsewhere,
        scripts: await page.locator('script, img, iframe').count(),
      };
    } finally {
      await page.close();
    }
  }

  it('shows what a process does', async () => {
    const pid = await apps.start('busy');
    const file = join(apps.directory, 'shown.tar.gz');
    expect((await apps.run(bundle, [String(pid), '--output', file, '--profile', '0'])).code).toBe(0);
    const ending = new AbortController();
    const { url, closed } = await serveBundle(file, ending.signal);
    const seen = await look(url, process.env.NODEOPS_SCREENSHOT);
    expect(seen).toMatchObject({ elsewhere: [], scripts: 0 });
    expect(seen.text).toContain(process.version);
    expect(seen.text).toContain('thread main');
    expect(seen.text).toContain('left out by --profile 0');
    ending.abort();
    expect(await closed).toEqual({ idle: false });
  });

  it('runs nothing of what names and logs hold, served or opened from disk', async () => {
    const file = join(apps.directory, 'hostile.tar.gz');
    await hostileBundle(file);
    const ending = new AbortController();
    const { url, closed } = await serveBundle(file, ending.signal);
    const html = join(apps.directory, 'index.html');
    await writeFile(html, (await entries(file)).get('index.html')!);
    for (const place of [url, `file://${html}`]) {
      const seen = await look(place);
      expect(seen.title).toMatch(/^nodeops bundle/);
      expect(seen).toMatchObject({ elsewhere: [], scripts: 0 });
      expect(seen.text).toContain("<script>document.title='pwned'</script>");
      expect(seen.text).not.toContain('\u202E');
    }
    // what is no page of ours is not shown as one
    const evil = await browser.newPage();
    await evil.goto(new URL('evil.html', url).href).catch(() => {});
    expect(await evil.title()).not.toBe('pwned');
    await evil.close();
    ending.abort();
    await closed;
  });

  it('runs no script of a bundle that was made to harm', async () => {
    const file = join(apps.directory, 'made.tar.gz');
    await hostileBundle(
      file,
      `<title>quiet</title><script>document.title='pwned'</script><img src=x onerror="document.title='pwned'">`,
    );
    const ending = new AbortController();
    const { url, closed } = await serveBundle(file, ending.signal);
    expect((await look(url)).title).toBe('quiet');
    ending.abort();
    await closed;
  });
});

describe('serving', () => {
  it('answers nobody who does not know its address, by name or by path', async () => {
    const file = join(apps.directory, 'served.tar.gz');
    await hostileBundle(file);
    const ending = new AbortController();
    const { url, closed } = await serveBundle(file, ending.signal);
    const get = (to: string, options: http.RequestOptions = {}) =>
      new Promise<{ status: number; type: string | undefined }>((resolve, reject) => {
        const request = http.request(to, { agent: false, ...options }, (response) => {
          response.resume();
          response.on('end', () => resolve({ status: response.statusCode!, type: response.headers['content-type'] }));
        });
        request.on('error', reject);
        request.end();
      });
    const { origin, port } = new URL(url);
    expect(await get(url)).toEqual({ status: 200, type: 'text/html; charset=utf-8' });
    expect(await get(`${url}pods/a/long.log`)).toEqual({ status: 200, type: 'text/plain; charset=utf-8' });
    expect((await get(`${url}evil.html`)).type).toBe('application/octet-stream');
    expect((await get(`${url}nothing`)).status).toBe(404);
    expect((await get(`${url}%ff`)).status).toBe(404);
    expect((await get(origin)).status).toBe(404);
    expect((await get(url, { headers: { host: `evil.example:${port}` } })).status).toBe(403);
    expect((await get(url, { method: 'POST' })).status).toBe(405);
    ending.abort();
    await closed;
  });

  it('reads archives that others made', async () => {
    const other = pack();
    other.entry({ name: '../../x/manifest.json' }, '{}');
    other.finalize();
    const chunks: Buffer[] = [];
    for await (const chunk of other) chunks.push(chunk as Buffer);
    const file = join(apps.directory, 'other.tar.gz');
    await writeFile(file, gzipSync(Buffer.concat(chunks)));
    expect((await apps.run(bundle, ['--from', file, '--no-open'])).stderr).toContain('is no bundle');
  });
});
