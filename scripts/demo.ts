/**
 * `npm run demo`: the main job on real processes, for someone without a cluster. Starts the embedded cluster with four pods
 * (a healthy server, one whose loop is blocked, one that leaks, one whose upstream hangs) and types what one would type. Leaves
 * nothing running.
 */

import { openBed } from '../test/e2e/bed.ts';
import { container, forgetful, hashing, pod, serving, waiting } from '../test/e2e/pods.ts';

const heading = (text: string) => process.stdout.write(`\n\u001b[1m${text}\u001b[0m\n`);
const scripts = { 'api-0': serving, 'login-0': hashing, 'sessions-0': forgetful, 'orders-0': waiting };
const names = Object.keys(scripts);

const bed = await openBed();
let failed = 0;
try {
  heading('An embedded Kubernetes API server, four pods of real Node.js processes');
  await bed.create(...Object.entries(scripts).map(([name, script]) => pod(name, [container(bed, { script })])));
  await bed.ready(...names);
  // a leak has to have leaked something
  await new Promise((done) => setTimeout(done, 12_000));
  process.stdout.write((await bed.kubectl(['get', 'pods'])).stdout);
  for (const args of [
    ...names.map((name) => ['why', `pod/${name}`]),
    ['stats', ...names.map((name) => `pod/${name}`)],
    ['stack', 'pod/login-0'],
  ]) {
    heading(`$ kubectl nodeops ${args.join(' ')}`);
    const { code, stdout, stderr } = await bed.nodeops(args);
    process.stdout.write(stdout + stderr);
    if (code !== 0) failed++;
  }
} finally {
  await bed.close();
}
if (failed > 0) throw new Error(`${failed} commands failed`);
