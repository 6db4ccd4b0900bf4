import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type NodeMajor, nodes } from '../harness/app.ts';
import { apps, Looked } from './app.ts';

/** By hand 10,000 and more: NODEOPS_CHURN_READS=10000 npx vitest run test/inspect/native-frames/churn.test.ts */
const reads = Number(process.env.NODEOPS_CHURN_READS ?? 400) / 4;

interface Step {
  readonly name: string;
  readonly starts: number;
  /** Lines that it calls from. */
  readonly calls: readonly number[];
}
const step = (name: string, starts: number, ...calls: number[]): Step => ({ name, starts, calls });
const inside = [step('leaf', 14, 15), step('work', 7, 8, 9, 10)];
const [gamma, beta, wrapped] = [step('gamma', 18, 19), step('beta', 21, 22), step('wrapped', 22, 23)];
/** From outside, as apps/churn.cjs calls them. */
const ways: readonly (readonly Step[])[] = [
  [step('root', 29, 32), gamma, ...inside],
  [step('root', 29, 33), beta, gamma, wrapped, ...inside],
  [step('root', 29, 34), step('alpha', 26, 27), beta, gamma, wrapped, step('', 27, 27), ...inside],
  [step('root', 29, 31), step('makeLeaf', 13, 14)],
];

it.each(Object.keys(nodes))(
  'Node %s: shows nothing that was not there, while the collector moves everything',
  async (major) => {
    const app = new Looked(nodes[Number(major) as NodeMajor], ['--max-semi-space-size=1', join(apps, 'churn.cjs')]);
    try {
      await app.framesOnceIn('JSON.parse');
      let read = 0;
      for (let i = 0; i < reads; i++) {
        const stack = app.read();
        expect(stack.state).not.toBe('unreadable');
        if (stack.state !== 'native') continue;
        read++;
        const own = stack.frames.filter(({ file }) => file.endsWith('churn.cjs')).reverse();
        const isLegal = (way: readonly Step[]): boolean =>
          own.every(({ function: name, line, isExact }, depth) => {
            const at = way[depth];
            // the innermost one may be anywhere in its function: V8 itself runs for it
            const isPlace = depth === own.length - 1 ? (line ?? 0) >= (at?.starts ?? 0) : at?.calls.includes(line ?? 0);
            return at?.name === name && (isExact ? isPlace : line === at.starts);
          });
        expect(own.map(({ function: name, line, isExact }) => `${name}:${line}${isExact ? '' : '~'}`)).toSatisfy(() =>
          ways.some(isLegal),
        );
      }
      expect(read).toBeGreaterThan(reads / 10);
      expect(app.child.exitCode).toBe(null);
    } finally {
      await app.end();
    }
  },
);
