import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCpuProfile } from '../../../../src/formats/cpuprofile.ts';
import { fromCpuProfile } from '../../../../src/formats/from-v8.ts';
import { toPprof } from '../../../../src/formats/to-pprof.ts';
import { serveProfile } from '../../../../src/plugin/commands/view/server.ts';
import { launchBrowser } from '../../../bed/chromium.ts';
import { cpuProfile, heapProfile, nodeTrace } from '../../captures/recorded.ts';
import { packedSpeedscope } from './speedscope.ts';

let directory: string;
let files: ReadonlyMap<string, Uint8Array>;
let browser: Browser;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nodeops-viewing-'));
  [files, browser] = await Promise.all([packedSpeedscope(), launchBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await rm(directory, { recursive: true, force: true });
});

async function saved(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, bytes);
  return path;
}

function get(
  url: string,
  options: http.RequestOptions = {},
): Promise<{ status: number; headers: http.IncomingHttpHeaders }> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { agent: false, ...options }, (response) => {
      response.resume();
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers }));
    });
    request.on('error', reject);
    request.end();
  });
}

describe('speedscope in a real browser', () => {
  async function shows(path: string, name: string, screenshot?: string): Promise<void> {
    const ending = new AbortController();
    const { url, closed } = await serveProfile({ path, files, signal: ending.signal });
    const page = await browser.newPage({ viewport: { width: 1200, height: 700 } });
    const elsewhere: string[] = [];
    const problems: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(new URL(url).origin) && !/^(?:data|blob):/.test(request.url()))
        elsewhere.push(request.url());
    });
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    page.on('pageerror', (error) => problems.push(error.message));
    try {
      await page.goto(url);
      // the flame chart is drawn on a canvas; the sandwich view lists functions as text
      await page.getByText('Sandwich').click();
      await page.getByText(name, { exact: true }).first().waitFor({ timeout: 50_000 });
      if (screenshot) {
        await page.getByText('Left Heavy').click();
        await page.screenshot({ path: screenshot });
      }
    } finally {
      await page.close();
      ending.abort();
    }
    expect(elsewhere).toEqual([]);
    expect(problems).toEqual([]);
    expect(await closed).toEqual({ idle: false });
  }

  it('shows a .cpuprofile', async () => {
    await shows(await saved('a.cpuprofile', await cpuProfile()), 'burnCpu', process.env.NODEOPS_SCREENSHOT);
  });

  it('shows a .pb.gz', async () => {
    const pprof = await toPprof(fromCpuProfile(parseCpuProfile(await cpuProfile())));
    await shows(await saved('a.cpu.pb.gz', pprof), 'burnCpu');
  });

  it('shows a .heapprofile', async () => {
    await shows(await saved('a.heapprofile', await heapProfile()), 'keepAlive');
  });

  it('shows a .trace.json of Node', async () => {
    await shows(await saved('a.trace.json', await nodeTrace()), 'burnCpu');
  });
});

describe('the server', () => {
  it('answers nobody who does not know its address, by name or by path', async () => {
    const path = await saved('b.cpuprofile', await cpuProfile());
    const ending = new AbortController();
    const { url, closed } = await serveProfile({ path, files, signal: ending.signal });
    const { origin, port, pathname } = new URL(url);
    const page = `${origin}${pathname}`;
    expect(pathname).toMatch(/^\/[\w-]{32}\/$/);
    expect(await get(page)).toMatchObject({ status: 200 });
    expect((await get(page)).headers['content-security-policy']).toContain("default-src 'none'");
    expect(await get(`${page}profile/b.cpuprofile`)).toMatchObject({ status: 200 });
    expect(await get(`${page}LICENSE`)).toMatchObject({ status: 200 });
    expect(await get(origin)).toMatchObject({ status: 404 });
    expect(await get(`${origin}/index.html`)).toMatchObject({ status: 404 });
    expect(await get(`${page}profile/other`)).toMatchObject({ status: 404 });
    expect(await get(`${page}..%2f..%2fetc%2fpasswd`)).toMatchObject({ status: 404 });
    expect(await get(page, { headers: { host: `evil.example:${port}` } })).toMatchObject({ status: 403 });
    expect(await get(page, { method: 'POST' })).toMatchObject({ status: 405 });
    ending.abort();
    await closed;
    await expect(get(page)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('says that the file has gone', async () => {
    const path = await saved('c.cpuprofile', await cpuProfile());
    const ending = new AbortController();
    const { url, closed } = await serveProfile({ path, files, signal: ending.signal });
    await rm(path);
    expect(await get(new URL('profile/c.cpuprofile', url).href)).toMatchObject({ status: 410 });
    ending.abort();
    await closed;
  });

  it('ends when nobody asks any more', async () => {
    const path = await saved('d.cpuprofile', await cpuProfile());
    const { closed } = await serveProfile({ path, files, signal: new AbortController().signal, idleMs: 50 });
    expect(await closed).toEqual({ idle: true });
  });
});
