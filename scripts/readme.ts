/** `npm run docs`: renders the README's command table from the commands' own declarations, docs/why.md's findings, and docs/schema. A test fails when they drift. */
import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commands } from '../src/plugin/commands/index.ts';
import { type FigureName, type FigureUnit, figureOf, figures } from '../src/protocol/figures.ts';
import { rules } from '../src/why/findings/index.ts';
import { architectureText } from './architecture.ts';
import { checkedSchemaPath, checkedSchemaText, replyTypes, schemas, schemaText } from './schemas.ts';

const begin = '<!-- commands: npm run docs -->';
const end = '<!-- /commands -->';
const findingsBegin = '<!-- findings: npm run docs -->';
const findingsEnd = '<!-- /findings -->';

/** The README with its table as it should be. */
export function withCommandTable(readme: string): string {
  const rows = commands
    .filter(({ hidden }) => !hidden)
    .map(({ name, usage, summary }) => `| \`${`${name} ${usage}`.trim().replaceAll('|', '\\|')}\` | ${summary} |`);
  const table = ['| command | what it does |', '| --- | --- |', ...rows].join('\n');
  const from = readme.indexOf(begin);
  const to = readme.indexOf(end);
  if (from < 0 || to < from) throw new Error(`README.md has no ${begin} … ${end}`);
  return `${readme.slice(0, from + begin.length)}\n\n${table}\n\n${readme.slice(to)}`;
}

/** docs/why.md with its table of findings as it should be. */
export function withFindings(page: string): string {
  const rows = rules.map(({ id, passed, needs, thresholds }) => {
    const cells = [`\`${id}\``, passed, thresholds, needs.map((name) => `\`${name}\``).join(', ')];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  const table = ['| finding | a healthy process is told | found from | reads |', '| --- | --- | --- | --- |', ...rows];
  const [from, to] = [page.indexOf(findingsBegin), page.indexOf(findingsEnd)];
  if (from < 0 || to < from) throw new Error(`docs/why.md has no ${findingsBegin} … ${findingsEnd}`);
  return `${page.slice(0, from + findingsBegin.length)}\n\n${table.join('\n')}\n\n${page.slice(to)}`;
}

/** docs/triggers.md with the row of figures as it should be. */
export function withFigures(page: string): string {
  const units: Readonly<Record<FigureUnit, string>> = {
    ...{ percent: 'percent', share: 'percent', bytes: 'bytes', ms: 'milliseconds', count: 'a count' },
  };
  const all = (Object.keys(figures) as FigureName[]).map(figureOf);
  const told = [...new Set(Object.values(units))].map((unit) => {
    const group = all.filter((figure) => units[figure.unit] === unit);
    const names = group.map(({ rule, note }) => `\`${rule}\`${note ? ` (${note})` : ''}`);
    return `in ${unit}: ${names.join(', ')}`;
  });
  return page.replace(/^\| FIGURE \|.*$/m, () => `| FIGURE | ${told.join('; ')} |`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = resolve('README.md');
  await writeFile(path, withCommandTable(await readFile(path, 'utf8')));
  const why = resolve('docs/why.md');
  await writeFile(why, withFindings(await readFile(why, 'utf8')));
  const triggers = 'docs/triggers.md';
  await writeFile(triggers, withFigures(await readFile(triggers, 'utf8')));
  const architecture = 'docs/architecture.md';
  await writeFile(architecture, architectureText(await readFile(architecture, 'utf8')));
  const types = replyTypes();
  await writeFile(checkedSchemaPath, checkedSchemaText(types));
  for (const name of Object.keys(schemas)) await writeFile(`docs/schema/${name}.schema.json`, schemaText(types, name));
}
