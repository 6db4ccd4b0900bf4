import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sparkline } from '../../../../src/plugin/commands/history/sparkline.ts';
import { bed, eventually, fresh, program, start, useBed } from '../../../agent/bed.ts';
import { launchBrowser } from '../../../bed/chromium.ts';
import { invoke } from '../../invoke.ts';

useBed();
let directory = '';
beforeEach(async () => {
  await fresh();
  directory = await mkdtemp(join(tmpdir(), 'nodeops-history-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const app = `
  const hold = [];
  function chargeCustomer() { const end = Date.now() + 700; while (Date.now() < end); }
  setInterval(chargeCustomer, 3000);
  setInterval(() => hold.push(new Array(100000).fill(Math.random())), 200);
  console.log('up');`;

async function recorded(): Promise<string> {
  await start(program('app.cjs', app)).says('up');
  const target = `127.0.0.1:${bed.port}`;
  await eventually(async () => {
    const { stdout, stderr } = await invoke(['history', target, '-o', 'json']);
    if (!stdout.includes('chargeCustomer')) throw new Error(`no stall yet: ${stderr}`);
    const { data } = JSON.parse(stdout);
    // a busy machine adds stalls of its own
    const ours = (stall: { ongoing: boolean }) => !stall.ongoing && JSON.stringify(stall).includes('chargeCustomer');
    if (!data.stalls.some(ours) || data.times.length < 4) throw new Error('too early');
  });
  return target;
}

describe('history', () => {
  it('draws a line a figure, and the stall with its stack', async () => {
    const target = await recorded();
    const { code, stdout, stderr } = await invoke(['history', target, '--since', '5m'], { env: { LANG: 'C.UTF-8' } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^\d\d:\d\d:\d\d to \d\d:\d\d:\d\d \(.+\)\n/);
    expect(stdout).toMatch(/^CPU {8}[▁-█ ]{40,} {2}\d+% now, max \d+%$/m);
    expect(stdout).toMatch(/^heap used {2}[▁-█ ]{40,} {2}[\d.]+MB now, max [\d.]+MB, of [\d.]+[MG]B$/m);
    expect(stdout).toMatch(
      /^stalls of the event loop over 200ms(?:, the longest 10 of \d+)?:\n(?: .*\n)*? {2}[\d:]+ {2}[\d.]+m?s\n {6}at chargeCustomer \(.*app\.cjs:3:\d+\)$/m,
    );
    const plain = await invoke(['history', target, '--ascii']);
    expect(plain.stdout).toMatch(/^CPU {8}[_.\-=+*%# ]{40,} {2}\d+% now/m);
    expect(plain.stdout).not.toMatch(/[▁-█]/);
  });

  it('writes a page that a browser shows without network, light and dark', async () => {
    const target = await recorded();
    const file = join(directory, 'history.html');
    // a busy machine may not look at a process in time
    const { stdout } = await eventually(async () => {
      const { code, stdout, stderr } = await invoke(['history', target, '--html', file]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      return { stdout };
    });
    expect(stdout).toMatch(/^.*history\.html \([\d.]+KB\)\n/);
    expect(await readFile(file, 'utf8')).not.toMatch(/<script|https?:/);
    const browser = await launchBrowser();
    try {
      for (const colorScheme of ['light', 'dark'] as const) {
        const page = await browser.newPage({ colorScheme });
        const problems: string[] = [];
        page.on('console', (message) => problems.push(message.text()));
        page.on('request', (request) => request.url().startsWith('file:') || problems.push(request.url()));
        await page.goto(pathToFileURL(file).href);
        expect(await page.locator('svg').count()).toBeGreaterThanOrEqual(4);
        // a line that is drawn has a length
        for (const path of await page.locator('figure path').all())
          expect(
            await path.evaluate((node) => (node as unknown as { getTotalLength(): number }).getTotalLength()),
          ).toBeGreaterThan(50);
        expect(await page.locator('rect.stall').count()).toBeGreaterThanOrEqual(4);
        const stall = page
          .locator('details', { has: page.locator('pre', { hasText: /^at chargeCustomer \(/ }) })
          .first();
        await stall.locator('summary').click();
        expect(await stall.locator('pre').innerText()).toMatch(/^at chargeCustomer \(/);
        expect(await page.locator('main').innerText()).toContain('A red bar is a stall');
        // a line that is named is drawn, and axes can be read in a narrow window, which does not scroll as a whole
        expect(await page.locator('figcaption span.limit').count()).toBe(await page.locator('line.limit').count());
        await page.setViewportSize({ width: 400, height: 800 });
        const { height = 0 } = (await page.locator('svg text').first().boundingBox()) ?? {};
        expect(height).toBeGreaterThan(9);
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(400);
        expect(problems).toEqual([]);
        if (process.env.NODEOPS_SCREENSHOTS)
          await page.screenshot({
            path: join(process.env.NODEOPS_SCREENSHOTS, `history-${colorScheme}.png`),
            fullPage: true,
          });
        await page.close();
      }
    } finally {
      await browser.close();
    }
    const again = await invoke(['history', target, '--html', file]);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('it exists');
  });

  it('shows of a stranger and of a process that records nothing what is wrong', async () => {
    await start(program('app.cjs', app), { env: { NODEOPS_RECORDER: 'off' } }).says('up');
    const { code, stderr } = await eventually(async () => {
      const result = await invoke(['history', `127.0.0.1:${bed.port}`]);
      if (result.code === 5) throw new Error('its agent is not there yet');
      return result;
    });
    expect(code).toBe(1);
    expect(stderr).toContain('NODEOPS_RECORDER is off');
  });
});

describe('a sparkline', () => {
  const span = { from: 0, to: 8_000 };
  const times = [1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 8_000];

  it('is as high as the values are of the top', () => {
    const values = [0, 1, 2, 3, 4, 5, 6, 8];
    expect(sparkline(times, values, span, { width: 8, top: 8 })).toBe('▁▂▃▄▅▆▇█');
    expect(sparkline(times, values, span, { width: 4, top: 8, ascii: true })).toBe('.=*#');
  });

  it('leaves blank what is not known, and joins samples that are fewer than columns', () => {
    expect(sparkline(times, [8, null, null, null, null, null, null, 8], span, { width: 8, top: 8 })).toBe('█      █');
    expect(sparkline([4_000, 8_000], [8, 8], span, { width: 8, top: 8 })).toBe('   █████');
  });
});
