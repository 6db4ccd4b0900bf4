/** A sampling heap profile of a few seconds: what is still there, by the stack that allocated it and by age. */
import type { HeapNode, HeapProfile } from '../../formats/heapprofile.ts';
import type { Frame } from '../../protocol/replies.ts';
import type { AllocationSite, AllocationSummary } from '../case.ts';

const sitesKept = 100;
const framesKept = 25;
export const ages = 4;

export function summarizeAllocations(profile: HeapProfile, durationMs: number): AllocationSummary {
  const stacks = new Map<number, Frame[]>();
  const visit = (node: HeapNode, above: readonly Frame[]): void => {
    const { functionName, url, lineNumber, columnNumber } = node.callFrame;
    const frame = {
      function: functionName || '(anonymous)',
      file: url.startsWith('file://') ? decodeURIComponent(new URL(url).pathname) : url,
      line: lineNumber + 1,
      column: columnNumber + 1,
    };
    const frames = functionName === '(root)' ? [] : [frame, ...above].slice(0, framesKept);
    stacks.set(node.id, frames);
    for (const child of node.children) visit(child, frames);
  };
  visit(profile.head, []);
  const samples = profile.samples ?? [];
  const newest = samples.reduce((max, { ordinal }) => Math.max(max, ordinal), 1);
  const oldest = samples.reduce((min, { ordinal }) => Math.min(min, ordinal), newest);
  const sites = new Map<number, { bytes: number; count: number; byAge: number[] }>();
  for (const { nodeId, size, ordinal } of samples) {
    const site = sites.get(nodeId) ?? { bytes: 0, count: 0, byAge: new Array<number>(ages).fill(0) };
    sites.set(nodeId, site);
    // ordinals count what was sampled, also what has been collected since: they tell the time of a steady app
    const age = Math.min(ages - 1, Math.floor(((ordinal - oldest) / (newest - oldest + 1)) * ages));
    site.bytes += size;
    site.count++;
    site.byAge[age] = site.byAge[age]! + size;
  }
  const found: AllocationSite[] = [...sites].map(([id, site]) => ({ ...site, frames: stacks.get(id) ?? [] }));
  return { durationMs, sites: found.toSorted((a, b) => b.bytes - a.bytes).slice(0, sitesKept) };
}
