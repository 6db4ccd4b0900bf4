import { expect, it } from 'vitest';
import { type Column, tableLines } from '../../../src/plugin/render/columns.ts';

interface Row {
  name: string;
  size: number | null;
}
const columns: Column<Row>[] = [
  { title: 'NAME', text: ({ name }) => name },
  { title: 'SIZE', align: 'right', text: ({ size }) => (size === null ? null : `${size}MB`) },
];

it('lines up columns as kubectl does, with a dash for what is not known', async () => {
  const rows = [
    { name: 'api-0', size: 5 },
    { name: 'a', size: 1200 },
    { name: 'blocked-0', size: null },
  ];
  expect(await tableLines(columns, rows)).toEqual([
    'NAME          SIZE',
    'api-0          5MB',
    'a           1200MB',
    'blocked-0        -',
  ]);
});

it('keeps a row in one line and escapes off the terminal, whatever a cell holds', async () => {
  const rows = [{ name: 'node -e\n  const x = 1;\r\n\u001b]0;title\u0007\u001b[31mred!\u001b[39m', size: 1 }];
  const [, line] = await tableLines(columns, rows);
  expect(line).toMatch(/^node -e const x = 1; \]0;title *\u001b\[31mred!\u001b\[39m +1MB$/);
});
