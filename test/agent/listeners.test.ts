/** Node tells an app with many listeners of one event that it may leak; ours must not be what makes it so. */
import { beforeEach, expect, it } from 'vitest';
import { bed, fresh, nodeOf, program, start, useBed, versions } from './bed.ts';

useBed();
beforeEach(fresh);

/** Tells by which of its listeners Node warns the app, event by event, also with a limit of the app's own. */
const listening = `
  let warned = 0;
  process.emitWarning = () => warned++;
  const firstWarned = (event) => {
    warned = 0;
    for (let count = 1; count <= 30; count++) if (process.on(event, () => {}), warned > 0) return count;
  };
  const standard = ['exit', 'uncaughtExceptionMonitor', 'warning'].map((event) => [event, firstWarned(event)]);
  process.removeAllListeners('exit');
  require('events').defaultMaxListeners = 15;
  const fifteen = [firstWarned('exit'), firstWarned('beforeExit'), process.getMaxListeners()];
  for (const event of ['exit', 'warning']) process.removeAllListeners(event);
  require('events').defaultMaxListeners = 1;
  const one = ['exit', 'warning'].map(firstWarned);
  console.log(JSON.stringify([standard, fifteen, one]));`;

/** An app that wants one listener of each event from the start: where there is only one of ours, Node keeps no list. */
const single = `
  require('events').defaultMaxListeners = 1;
  process.emitWarning = (text) => console.log(/\\d+ (\\w+) listeners/.exec(text.message ?? text)[1]);
  for (const event of ['exit', 'uncaughtExceptionMonitor', 'warning', 'beforeExit']) process.on(event, () => {});`;

it.each(Object.keys(versions).map(Number) as (keyof typeof versions)[])(
  'are not counted on Node %i',
  async (version) => {
    const tells = async (source: string, flags: string[]): Promise<string> => {
      // crash records make us listen to more
      const env = { NODEOPS_ARTIFACTS_DIR: bed.configDir };
      const app = start(program('listening.cjs', source), { node: nodeOf(version), flags, env });
      await app.ended;
      return app.output();
    };
    const without = await tells(listening, []);
    expect(without).toContain('["exit",11]');
    expect(await tells(listening, ['--require', bed.preload])).toBe(without);
    expect(await tells(single, ['--require', bed.preload])).toBe(await tells(single, []));
  },
);
