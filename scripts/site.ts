/**
 * `npm run docs:site`: docs/ as plain HTML in dist/site, which needs no server: opened from the disk, searched without a network.
 * markdown-it renders, minisearch finds; both are dev dependencies, and nothing of this ships.
 */
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import MarkdownIt from 'markdown-it';
import MiniSearch from 'minisearch';

const repository = 'https://github.com/nodeops/nodeops/blob/main';
/** How both the builder and the page make the index. */
const searching = {
  fields: ['title', 'text'],
  storeFields: ['title', 'page'],
  searchOptions: { boost: { title: 3 }, prefix: true, fuzzy: 0.1 },
};

interface Page {
  /** In the repository, such as `docs/why.md`. */
  readonly source: string;
  /** In the site, such as `why.html`. */
  readonly file: string;
  readonly title: string;
  readonly markdown: string;
}

export async function buildSite(output: string): Promise<readonly string[]> {
  const pages = await readPages();
  await rm(output, { recursive: true, force: true });
  await mkdir(output, { recursive: true });
  const index = new MiniSearch({ ...searching, idField: 'id' });
  for (const page of pages) {
    const path = join(output, page.file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, htmlOf(page, pages));
    index.addAll(sectionsOf(page));
  }
  await writeFile(join(output, 'index.js'), `const searchIndex = ${JSON.stringify(JSON.stringify(index))};\n`);
  await copyFile('node_modules/minisearch/dist/umd/index.js', join(output, 'minisearch.js'));
  await copyFile('docs/why.svg', join(output, 'why.svg'));
  await writeFile(join(output, 'search.js'), searchScript);
  await writeFile(join(output, 'style.css'), style);
  return pages.map(({ file }) => file);
}

async function readPages(): Promise<Page[]> {
  const names = (await readdir('docs', { recursive: true })).filter((name) => name.endsWith('.md')).sort();
  const sources = ['README.md', ...names.map((name) => posix.join('docs', name))];
  return Promise.all(
    sources.map(async (source) => {
      const markdown = await readFile(source, 'utf8');
      return { source, file: fileOf(source), title: /^# (.+)$/m.exec(markdown)?.[1] ?? source, markdown };
    }),
  );
}

function fileOf(source: string): string {
  const path = source.replace(/^docs\//, '').replace(/\.md$/, '.html');
  return source === 'README.md' ? 'index.html' : path.replace(/README\.html$/, 'index.html');
}

/** A search finds sections, not whole pages. */
function sectionsOf({ file, title, markdown }: Page): object[] {
  return markdown.split(/^(?=## )/m).map((section, at) => {
    const heading = /^## (.+)$/m.exec(section)?.[1];
    const page = at === 0 || !heading ? file : `${file}#${anchorOf(heading)}`;
    return { id: `${file} ${at}`, page, title: at === 0 || !heading ? title : `${title}: ${heading}`, text: section };
  });
}

/** As GitHub makes them. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/g, '-');
}

function htmlOf(page: Page, pages: readonly Page[]): string {
  const up = '../'.repeat(page.file.split('/').length - 1);
  const link = ({ file, title }: Page) =>
    `<li><a href="${up}${file}"${file === page.file ? ' aria-current="page"' : ''}>${escaped(title)}</a></li>`;
  const group = (name: string, of: readonly Page[]) =>
    `<details${of.includes(page) ? ' open' : ''}><summary>${name}</summary><ul>${of.map(link).join('')}</ul></details>`;
  const inFolder = (folder: string) => pages.filter(({ file }) => file.startsWith(`${folder}/`));
  const guides = pages.filter(({ file }) => !file.includes('/'));
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(page.title)} - nodeops</title><link rel="stylesheet" href="${up}style.css"></head>
<body data-up="${up}"><nav><input type="search" placeholder="Search" aria-label="Search"><ol id="found"></ol>
<ul>${guides.map(link).join('')}</ul>${group('Commands', inFolder('commands'))}${group('Decisions', inFolder('adr'))}</nav>
<main>${rendered(page, pages)}</main>
<script src="${up}minisearch.js"></script><script src="${up}index.js"></script><script src="${up}search.js"></script></body></html>
`;
}

function rendered(page: Page, pages: readonly Page[]): string {
  const markdown = new MarkdownIt({ html: true, linkify: false });
  const { rules } = markdown.renderer;
  rules.heading_open = (tokens, at, options, _env, self) => {
    tokens[at]!.attrSet('id', anchorOf(tokens[at + 1]!.content));
    return self.renderToken(tokens, at, options);
  };
  rules.link_open = (tokens, at, options, _env, self) => {
    tokens[at]!.attrSet('href', addressOf(String(tokens[at]!.attrGet('href')), page, pages));
    return self.renderToken(tokens, at, options);
  };
  return markdown.render(page.markdown.replaceAll('](docs/why.svg)', '](why.svg)'));
}

/** Pages are linked with one another, other files with the repository. */
function addressOf(href: string, page: Page, pages: readonly Page[]): string {
  if (/^(?:[a-z]+:|#)/.test(href)) return href;
  const [path = '', anchor] = href.split('#');
  const source = posix.normalize(posix.join(posix.dirname(page.source), path));
  const to = pages.find((each) => each.source === source || each.source === `${source.replace(/\/$/, '')}/README.md`);
  const end = anchor === undefined ? '' : `#${anchor}`;
  if (!to) return `${repository}/${source}${end}`;
  return posix.relative(posix.dirname(page.file), to.file) + end;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('`', '');
}

const searchScript = `const index = MiniSearch.loadJSON(searchIndex, ${JSON.stringify({ ...searching, idField: 'id' })});
const [box, list] = [document.querySelector('input[type=search]'), document.querySelector('#found')];
box.addEventListener('input', () => {
  list.replaceChildren(...index.search(box.value).slice(0, 12).map(({ title, page }) => {
    const link = Object.assign(document.createElement('a'), { textContent: title, href: document.body.dataset.up + page });
    const item = document.createElement('li');
    item.append(link);
    return item;
  }));
});
`;

const style = `:root{color-scheme:light dark}
body{margin:0;display:grid;grid-template-columns:17rem minmax(0,60rem);gap:2rem;font:16px/1.5 system-ui,sans-serif}
nav{padding:1rem;border-right:1px solid #8884;min-height:100vh;box-sizing:border-box}nav ul,nav ol{list-style:none;padding:0}nav input{width:100%;font:inherit;box-sizing:border-box}
main{padding:1rem}pre,code{font:14px/1.4 ui-monospace,monospace}pre{overflow:auto;padding:.8rem;background:#8881;border-radius:6px}
table{border-collapse:collapse;display:block;overflow:auto}td,th{border:1px solid #8884;padding:.3rem .6rem;text-align:left;vertical-align:top}img{max-width:100%}
[aria-current]{font-weight:bold}@media(max-width:50rem){body{display:block}nav{min-height:0}}
`;

if (import.meta.main) {
  const files = await buildSite('dist/site');
  console.log(`dist/site: ${files.length} pages; open dist/site/index.html`);
}
