/** index.html: everything on one page that needs no network and runs no script. */
import { bytesShort } from '../../../protocol/text/quantities.ts';
import type { Shown, Subject } from './contents.ts';

/** Also sent as a header when a bundle is served: no script of a foreign bundle runs. */
export const pagePolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const style = `
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --bad: #c62828; }
@media (prefers-color-scheme: dark) { :root { --bad: #ff6b72; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 0 auto; padding: 1rem 1.5rem 4rem; }
h1 { font-size: 1.5rem; margin: .5rem 0; } h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; border-top: 1px solid var(--line); padding-top: 1rem; }
.kind { font-weight: normal; opacity: .6; } nav ul { columns: 20rem; padding-left: 1.2rem; } nav li { break-inside: avoid; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr)); gap: .5rem; margin: .8rem 0; }
dl div { background: var(--soft); border-radius: .4rem; padding: .35rem .7rem; overflow-wrap: anywhere; }
dt { font-size: .8rem; opacity: .7; } dd { margin: 0; font-weight: 600; }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .4rem 0; } summary { cursor: pointer; padding: .4rem .8rem; font-weight: 600; }
details > p { margin: .2rem .8rem; font-size: .85rem; opacity: .8; }
pre { margin: 0; padding: .6rem .8rem; overflow: auto; max-height: 32rem; font: 12.5px/1.45 ui-monospace, monospace; border-top: 1px solid var(--line); white-space: pre-wrap; overflow-wrap: anywhere; }
table { border-collapse: collapse; margin: .5rem 0; } td, th { border: 1px solid var(--line); padding: .25rem .6rem; text-align: left; overflow-wrap: anywhere; }
.missing { color: var(--bad); } .size { opacity: .6; font-weight: normal; font-size: .85rem; }
`;

/** Shown without a click: what is looked at first. */
const open = new Set(['stack', 'stats', 'memstats', 'events', 'doctor']);

export interface PageOptions {
  readonly at: Date;
  readonly pluginVersion: string | null;
}

export function pageHtml(subjects: readonly Subject[], { at, pluginVersion }: PageOptions): string {
  const names = subjects.map(
    ({ kind, name }, index) => `<li><a href="#s${index}">${escaped(name)}</a> ${kindOf(name, kind)}</li>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escaped(pagePolicy)}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">
<title>nodeops bundle, ${escaped(at.toISOString())}</title><style>${style}</style></head>
<body><h1>nodeops bundle</h1>
<p>Made ${escaped(at.toISOString())}${pluginVersion === null ? '' : ` by kubectl-nodeops ${escaped(pluginVersion)}`}.
Values that look like secrets are masked; look it through before you pass it on.</p>
<nav><ul>${names.join('\n')}</ul></nav>
${subjects.map(section).join('\n')}
</body></html>
`;
}

function section({ kind, name, facts, shown, files, missing }: Subject, index: number): string {
  const figures = facts.map(([term, value]) => `<div><dt>${escaped(term)}</dt><dd>${escaped(value)}</dd></div>`);
  const others = files.filter(({ path }) => !shown.some((part) => part.path === path));
  const rows = missing.map(({ what, reason }) => `<tr><td>${escaped(what)}</td><td>${escaped(reason)}</td></tr>`);
  const links = others.map(
    ({ path, what, bytes }) =>
      `<li>${escaped(what)}: ${link(path)} <span class="size">${bytesShort(bytes)}</span></li>`,
  );
  return [
    `<section id="s${index}"><h2>${escaped(name)} ${kindOf(name, kind)}</h2>`,
    figures.length > 0 ? `<dl>${figures.join('')}</dl>` : '',
    ...shown.map(part),
    links.length > 0 ? `<h3>Files</h3><ul>${links.join('')}</ul>` : '',
    rows.length > 0
      ? `<h3 class="missing">Could not be had</h3><table><tr><th>What</th><th>Why</th></tr>${rows.join('')}</table>`
      : '',
    '</section>',
  ].join('\n');
}

/** A process of this machine is called `process PID` already. */
function kindOf(name: string, kind: string): string {
  return name.startsWith(kind) ? '' : `<span class="kind">${kind}</span>`;
}

function part({ what, path, text, tail, cut }: Shown): string {
  const left = cut ? `<p>Only its ${tail ? 'end' : 'beginning'} is shown here; all of it is in the file.</p>` : '';
  const shown = text.trim() === '' ? '(empty)' : text;
  return `<details${open.has(what) ? ' open' : ''}><summary>${escaped(what)}</summary><p>${link(path)}</p>${left}<pre>${escaped(shown)}</pre></details>`;
}

/** Relative, so that it works in an unpacked bundle and in a served one. */
function link(path: string): string {
  const href = path.split('/').map(encodeURIComponent).join('/');
  return `<a href="${escaped(href)}">${escaped(path)}</a>`;
}

/** For text and attributes in quotes. Control characters, which could reorder or hide text, are shown as such. */
export function escaped(text: string): string {
  return text
    .replaceAll(
      /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
      '\ufffd',
    )
    .replaceAll(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}
