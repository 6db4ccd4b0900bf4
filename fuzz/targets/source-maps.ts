import { mapCallFrame } from '../../src/formats/source-maps.ts';
import { NodeopsError } from '../../src/protocol/errors.ts';
import { originalFrame } from '../../src/source-maps/frames.ts';
import {
  decodeDataUrl,
  mapPathOf,
  parseSourceMap,
  rememberText,
  sourceMappingUrl,
} from '../../src/source-maps/text.ts';
import type { Target } from '../fuzz.ts';

const map = {
  version: 3,
  sources: ['../src/a.ts', 'webpack://shop/./src/b.ts'],
  names: ['price', 'secret'],
  mappings: 'AAAA,SAASA,CAAT;ACCAC,IAAI',
};
const index = { version: 3, sections: [{ offset: { line: 0, column: 0 }, map }] };
const code = 'function a(){return b(1)}\nvar b=(c)=>c*2';

/** A map as a file, and as whatever a comment says; frames at some places are looked up in it. */
export const sourceMap: Target = {
  seeds: [map, index].map((value) => Buffer.from(JSON.stringify(value))),
  words: ['"mappings"', ';;;;', 'AAAA', '"sections"', 'gggggggggggggggB'],
  run(input) {
    const text = Buffer.from(input).toString('utf8');
    const comment = sourceMappingUrl(`${code}\n//# sourceMappingURL=${text.slice(0, 200)}\n`);
    if (comment) mapPathOf(comment);
    if (comment) decodeDataUrl(comment);
    const parsed = parseSourceMap(text, 'file:///app/dist/a.js');
    rememberText(parsed, code);
    for (const [line, column] of [
      [1, 1],
      [1, 20],
      [2, 9],
      [9_999, 1],
    ] as const) {
      originalFrame(parsed, { function: 'a', file: '/app/dist/a.js', line, column });
      const frame = {
        functionName: 'a',
        scriptId: '1',
        url: 'file:///app/dist/a.js',
        lineNumber: line - 1,
        columnNumber: column - 1,
      };
      mapCallFrame(frame, () => parsed);
    }
  },
  isRefusal: (error) => error instanceof NodeopsError && !/\n/.test(error.message),
};
