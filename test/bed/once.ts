/** What several test files need and is the same for all of them is made once a run, by the first file that asks. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './until.ts';

const variable = 'NODEOPS_TEST_RUN';
const makingMs = 120_000;

/** vitest's global setup: a directory for what a run shares, removed at its end. */
export default function openRun(): () => void {
  const directory = mkdtempSync(join(tmpdir(), 'nodeops-run-'));
  // tests run the plugin as another user, too
  chmodSync(directory, 0o755);
  process.env[variable] = directory;
  return () => rmSync(directory, { recursive: true, force: true });
}

/** The run's directory; one of this process's own outside a run. */
export function runDirectory(): string {
  process.env[variable] ??= mkdtempSync(join(tmpdir(), 'nodeops-run-'));
  return process.env[variable];
}

/** A directory that `make` has filled, by this test file or by another. What is in it is not to be changed. */
export async function once(name: string, make: (directory: string) => Promise<unknown>): Promise<string> {
  const directory = join(runDirectory(), name);
  const failure = `${directory}.failed`;
  if (existsSync(directory)) return directory;
  const unfinished = `${directory}.unfinished`;
  try {
    mkdirSync(unfinished);
  } catch {
    await until(() => existsSync(failure) || existsSync(directory), { withinMs: makingMs });
    if (existsSync(failure)) throw new Error(readFileSync(failure, 'utf8'));
    return directory;
  }
  try {
    await make(unfinished);
    renameSync(unfinished, directory);
  } catch (error) {
    writeFileSync(failure, String(error));
    throw error;
  }
  return directory;
}
