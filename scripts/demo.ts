/**
 * `npm run demo`: the main job on real processes, for someone without a cluster. Starts the embedded cluster with three pods
 * (a healthy server, one whose loop is blocked, one that leaks) and types what one would type. Leaves nothing running.
 */

import { openBed } from '../test/e2e/bed.ts';
import { blocked, container, healthy, leaking, pod } from '../test/e2e/pods.ts';

const heading = (text: string) => process.stdout.write(`\n\u001b[1m${text}\u001b[0m\n`);

const bed = await openBed();
let failed = 0;
try {
  heading('An embedded Kubernetes API server, three pods of real Node.js processes');
  await bed.create(
    pod('api-0', [container(bed, { script: healthy })]),
    pod('blocked-0', [container(bed, { script: blocked })]),
    pod('leaking-0', [container(bed, { script: leaking })]),
  );
  await bed.ready('api-0', 'blocked-0', 'leaking-0');
  await new Promise((done) => setTimeout(done, 2000));
  process.stdout.write((await bed.kubectl(['get', 'pods'])).stdout);
  for (const command of ['stats', 'stack', 'memstats']) {
    for (const name of ['api-0', 'blocked-0', 'leaking-0']) {
      heading(`$ kubectl nodeops ${command} pod/${name}`);
      const { code, stdout, stderr } = await bed.nodeops([command, `pod/${name}`]);
      process.stdout.write(stdout + stderr);
      if (code !== 0) failed++;
    }
  }
  heading('$ kubectl nodeops stats pod/api-0 pod/blocked-0 pod/leaking-0');
  process.stdout.write((await bed.nodeops(['stats', 'pod/api-0', 'pod/blocked-0', 'pod/leaking-0'])).stdout);
} finally {
  await bed.close();
}
if (failed > 0) throw new Error(`${failed} commands failed`);
