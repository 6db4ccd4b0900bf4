/**
 * Records cases for the table tests: `node test/why/record.ts DIRECTORY [NAME...] [--major=24]` starts each service of faults.ts
 * under its load, looks at it for ten seconds as `why` does, and writes what was seen as NAME.MAJOR.json.gz.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { lookAt } from '../../src/plugin/sampling/look.ts';
import { pidTarget } from '../../src/plugin/targets/pid.ts';
import type { Case } from '../../src/why/case.ts';
import { type Fault, faults, healthy } from './faults.ts';
import { type Major, majors, Service } from './service.ts';

export async function record(
  fault: Pick<Fault, 'service' | 'loads' | 'warmMs' | 'options'>,
  major: Major,
): Promise<Case> {
  const service = await Service.start(`${fault.service}.cjs`, { ...fault.options, major });
  try {
    for (const load of fault.loads) await service.load(load);
    await new Promise((done) => setTimeout(done, fault.warmMs));
    const target = await pidTarget(service.pid, { env: { NODEOPS_CONFIG_DIR: service.configDir } });
    const { signal } = new AbortController();
    const options = {
      forMs: 10_000,
      deep: false,
      timeoutMs: undefined,
      pod: null,
      port: service.agentPort,
      signal,
    };
    return (await lookAt(target, { ...options, now: () => new Date() })).case;
  } finally {
    await service.stop();
  }
}

if (import.meta.main) {
  const [directory, ...rest] = process.argv.slice(2);
  if (!directory) throw new Error('usage: record.ts DIRECTORY [NAME...] [--major=24]');
  const major = Number(/^--major=(\d+)$/m.exec(rest.join('\n'))?.[1] ?? 24) as Major;
  if (!majors.includes(major)) throw new Error(`no such major: ${major}`);
  const names = rest.filter((arg) => !arg.startsWith('--'));
  mkdirSync(directory, { recursive: true });
  for (const fault of [...faults, ...healthy]) {
    if (names.length > 0 && !names.includes(fault.service)) continue;
    const began = performance.now();
    try {
      const value = await record(fault, major);
      writeFileSync(join(directory, `${fault.service}.${major}.json.gz`), gzipSync(JSON.stringify(value)));
      process.stdout.write(
        `${fault.service}: ${Math.round(performance.now() - began)} ms, missing ${JSON.stringify(value.missing)}\n`,
      );
    } catch (error) {
      process.stdout.write(`${fault.service}: ${(error as Error).message}\n`);
    }
  }
}
