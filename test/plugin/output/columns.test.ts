import { expect, it } from 'vitest';
import { type Column, tableLines } from '../../../src/plugin/output/columns.ts';

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
