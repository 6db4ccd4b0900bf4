import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The date that everything in a release carries: `SOURCE_DATE_EPOCH`, else the commit's; 1985 outside a repository, as npm has it. */
export async function sourceDate(): Promise<Date> {
  const given = process.env.SOURCE_DATE_EPOCH;
  if (given !== undefined) return new Date(Number(given) * 1000);
  try {
    const { stdout } = await promisify(execFile)('git', ['log', '-1', '--format=%ct']);
    return new Date(Number(stdout) * 1000);
  } catch {
    return new Date('1985-10-26T08:15:00Z');
  }
}
