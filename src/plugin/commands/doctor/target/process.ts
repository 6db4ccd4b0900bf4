/** How one process is: does its loop turn, and is there room for a heap snapshot. */
import type { ProcessInfo } from '../../../../protocol/replies.ts';
import { bytesShort as bytes } from '../../../../protocol/text/quantities.ts';
import type { AgentClient } from '../../../client/client.ts';
import { type Finding, fail, ok, skip, warn } from '../check.ts';

/** Share of the time spent in callbacks above which other requests wait noticeably. */
const busyUtilization = 0.95;
/** Memory that a snapshot takes, in heaps: what less than this leaves is likely to be killed. Measured: 0.05 for a heap of large strings, 24 for one of small objects. */
const snapshotHeaps = { usual: 3, most: 24 };

function selector({ container, pid }: ProcessInfo): string {
  return container === null ? String(pid) : `${container}/${pid}`;
}

export async function loopFinding(client: AgentClient, process: ProcessInfo, signal: AbortSignal): Promise<Finding> {
  const { data, stuck } = await client.ask('stats', { window: 500 }, { process: selector(process), signal });
  if (stuck) return fail(`stuck in native code: ${stuck.summary}`, { say: 'look at what it was called from:' });
  const { utilization, delayP99Ms } = data.eventLoop;
  if (utilization === null) return skip('the agent cannot tell');
  const busy = `${(utilization * 100).toFixed(0)}% busy`;
  if (utilization >= busyUtilization)
    return warn(`blocked or overloaded: ${busy} over half a second`, { say: 'look at what it does:' });
  return ok(`${busy}${delayP99Ms === null ? '' : `, ${delayP99Ms.toFixed(1)} ms late`}`);
}

export async function memoryFinding(client: AgentClient, process: ProcessInfo, signal: AbortSignal): Promise<Finding> {
  const { data } = await client.ask('memstats', {}, { process: selector(process), signal });
  const { heap, cgroup } = data;
  if (!heap) return skip('the heap cannot be read while the process is stuck');
  const used = `heap ${bytes(heap.usedBytes)}`;
  if (cgroup?.limitBytes == null) return ok(`${used}, no memory limit`);
  const free = Math.max(0, cgroup.limitBytes - cgroup.usedBytes);
  const said = `${used}, ${bytes(free)} free below the limit of ${bytes(cgroup.limitBytes)}`;
  if (free >= snapshotHeaps.most * heap.usedBytes) return ok(`${said}: enough for any heap`);
  if (free >= snapshotHeaps.usual * heap.usedBytes)
    return ok(
      `${said}: enough but for heaps of very many small objects, which take up to ${bytes(snapshotHeaps.most * heap.usedBytes)}`,
    );
  return warn(`${said}: a heap snapshot would probably have the container killed`, {
    say: 'raise the limit before you take one, or sample instead:',
  });
}
