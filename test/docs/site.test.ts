import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildSite } from '../../scripts/site.ts';

const folder = mkdtempSync(join(tmpdir(), 'nodeops-site-'));
let files: readonly string[];
const text = (file: string) => readFileSync(join(folder, file), 'utf8');
beforeAll(async () => {
  files = await buildSite(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('has a page for every page of docs/, and the README first', () => {
  expect(files).toEqual(expect.arrayContaining(['index.html', 'why.html', 'commands/why.html', 'commands/index.html']));
  expect(text('why.html')).toContain('<td><code>heap-growth</code></td>');
});

it('leads to pages and sections that are there, and fetches nothing', () => {
  const broken: string[] = [];
  for (const file of files) {
    const html = text(file);
    expect(html).not.toMatch(/<(?:script|img|link)[^>]+(?:src|href)="(?:https?:)?\/\//);
    for (const [, href] of html.matchAll(/(?:href|src)="([^"]+)"/g)) {
      if (/^(?:https?:|mailto:)/.test(href!)) continue;
      const [path = '', anchor] = href!.split('#');
      const to = path === '' ? file : join(dirname(file), path);
      if (!existsSync(join(folder, to))) broken.push(`${file}: ${href}`);
      else if (anchor && !text(to).includes(`id="${decodeURIComponent(anchor)}"`)) broken.push(`${file}: ${href}`);
    }
  }
  expect(broken).toEqual([]);
});

it('is searched in the page, without a network', () => {
  const links: { textContent: string; href: string }[] = [];
  const box = { value: '', typed: () => {}, addEventListener: (_: string, typed: () => void) => (box.typed = typed) };
  const list = {
    replaceChildren: (...items: { of: (typeof links)[number] }[]) => links.push(...items.map(({ of }) => of)),
  };
  const document = {
    body: { dataset: { up: '../' } },
    querySelector: (selector: string) => (selector === '#found' ? list : box),
    createElement: (name: string) =>
      name === 'a'
        ? {}
        : {
            of: {},
            append: function (this: { of: object }, of: object) {
              this.of = of;
            },
          },
  };
  runInNewContext(['minisearch.js', 'index.js', 'search.js'].map(text).join('\n;'), {
    document,
    globalThis: undefined,
    self: {},
  });
  box.value = 'heap snapshot';
  box.typed();
  expect(links.length).toBeGreaterThan(2);
  expect(links.slice(0, 5).map(({ href }) => href.split('#')[0])).toContain('../commands/heapsnapshot.html');
});
