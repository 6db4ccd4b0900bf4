/** Pauses the process whose number it is given, and lets go when its stdin ends: what a payload does that is cut off in mid-pause. */
import { startTicks } from '../../src/proc/identity.ts';
import { Lines } from '../../src/sidecar/processes/lines.ts';

const pid = Number(process.argv[2]);
const lines = new Lines();
const line = await lines.open({ pid, startTicks: startTicks(pid)! });
const paused = new Promise<void>((resolve) => void line.on('Debugger.paused', () => resolve()));
await line.post('Debugger.enable');
await line.post('Debugger.pause');
await paused;
process.stdout.write('paused\n');
process.stdin.resume().on('end', () => void lines.close().then(() => process.exit(0)));
