import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { documentText } from '../../../src/plugin/render/document.ts';

const value = {
  'a-key': 'no',
  yes: [1, null, true, 'x: "y"\n\u2028'],
  empty: { list: [], object: {} },
  left: undefined,
  'with space': -0.5,
};

it.each(['json', 'yaml', 'kyaml'] as const)('%s is read as what it was', async (format) => {
  expect(parse(await documentText(format, value))).toEqual(JSON.parse(JSON.stringify(value)));
});

it('kyaml has brackets, quoted strings and keys that nobody takes for something else', async () => {
  expect(await documentText('kyaml', { kind: 'List', no: ['a', 1], none: {} })).toBe(
    '---\n{\n  kind: "List",\n  "no": [\n    "a",\n    1,\n  ],\n  none: {},\n}\n',
  );
});
