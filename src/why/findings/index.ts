import type { Rule } from '../finding.ts';
import { acceptBacklog } from './accept-backlog.ts';
import { bufferGrowth } from './buffer-growth.ts';
import { children } from './children.ts';
import { clock } from './clock.ts';
import { clone } from './clone.ts';
import { closeWait } from './close-wait.ts';
import { connectionPool } from './connection-pool.ts';
import { cpuStarved } from './cpu-starved.ts';
import { cpuThrottled } from './cpu-throttled.ts';
import { debuggerOpen } from './debugger-open.ts';
import { descriptors } from './descriptors.ts';
import { dns } from './dns.ts';
import { ended } from './ended.ts';
import { exceptions } from './exceptions.ts';
import { gcPressure } from './gc-pressure.ts';
import { handlesGrowth } from './handles-growth.ts';
import { heapGrowth } from './heap-growth.ts';
import { hotFunction } from './hot-function.ts';
import { json } from './json.ts';
import { logging } from './logging.ts';
import { memoryLimit } from './memory-limit.ts';
import { nativeGrowth } from './native-growth.ts';
import { nodeEnv } from './node-env.ts';
import { nodeVersion } from './node-version.ts';
import { outboundPool } from './outbound-pool.ts';
import { outboundStuck } from './outbound-stuck.ts';
import { periodicStall } from './periodic-stall.ts';
import { pressure } from './pressure.ts';
import { profiler } from './profiler.ts';
import { recompile } from './recompile.ts';
import { regex } from './regex.ts';
import { requestsStuck } from './requests-stuck.ts';
import { syncChild } from './sync-child.ts';
import { syncCrypto } from './sync-crypto.ts';
import { syncFs } from './sync-fs.ts';
import { syncWait } from './sync-wait.ts';
import { syncZlib } from './sync-zlib.ts';
import { uncaught } from './uncaught.ts';
import { uvPool } from './uv-pool.ts';
import { workerBusy } from './worker-busy.ts';

/** Every finding; the order is that of docs/why.md, not of importance. */
export const rules: readonly Rule[] = [
  ended,
  hotFunction,
  periodicStall,
  regex,
  json,
  syncCrypto,
  syncZlib,
  syncFs,
  syncChild,
  syncWait,
  clone,
  recompile,
  exceptions,
  logging,
  workerBusy,
  gcPressure,
  heapGrowth,
  bufferGrowth,
  nativeGrowth,
  memoryLimit,
  handlesGrowth,
  closeWait,
  acceptBacklog,
  descriptors,
  children,
  uvPool,
  dns,
  requestsStuck,
  outboundStuck,
  outboundPool,
  connectionPool,
  cpuThrottled,
  cpuStarved,
  pressure,
  clock,
  uncaught,
  debuggerOpen,
  profiler,
  nodeEnv,
  nodeVersion,
];
