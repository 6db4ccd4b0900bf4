/** Draws the tables of docs/architecture.md from test/architecture/rules.ts: part of `npm run docs`. */
import { inside, type Room, stages } from '../test/architecture/rules.ts';

const begin = (name: string) => `<!-- ${name}: npm run docs -->`;
const end = (name: string) => `<!-- /${name} -->`;

function table(rooms: Readonly<Record<string, Room>>, path: (name: string) => string): string {
  const rows = Object.entries(rooms).map(([name, { what, imports }]) => {
    const folder = `\`${path(name)}\``;
    return `| ${folder} | ${what} | ${imports.map((other) => `\`${other}\``).join(', ')} |`;
  });
  return ['| folder | what it is | imports |', '| --- | --- | --- |', ...rows].join('\n');
}

function replaced(text: string, name: string, content: string): string {
  const from = text.indexOf(begin(name));
  const to = text.indexOf(end(name));
  if (from < 0 || to < from) throw new Error(`docs/architecture.md has no ${begin(name)} … ${end(name)}`);
  return `${text.slice(0, from + begin(name).length)}\n\n${content}\n\n${text.slice(to)}`;
}

/** The document with its tables as they should be. */
export function architectureText(text: string): string {
  const whole = replaced(
    text,
    'src',
    table(stages, (name) => (name === 'cmd' ? 'cmd/kubectl-nodeops' : `src/${name}`)),
  );
  return Object.entries(inside).reduce(
    (shown, [stage, rooms]) =>
      replaced(
        shown,
        `src/${stage}`,
        table(rooms, (name) => name),
      ),
    whole,
  );
}
