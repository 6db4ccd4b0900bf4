/** Real Node processes of every supported version with captures in a worker thread, and what asks them over HTTP. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { JobTimes } from '../../../src/agent/captures/manager.ts';
import type { MemoryLimits } from '../../../src/agent/captures/memory-artifact.ts';
import type { CaptureName, JobInfo } from '../../../src/protocol/captures.ts';
import { captureWorker } from '../../bed/bundles.ts';
import { tooLargeToInline } from '../../bed/too-large-to-inline.ts';

export const versions = ['node20', 'node22', 'node', 'node26'] as const;
export type Version = (typeof versions)[number];

export interface HarnessOptions {
  directory: string;
  limitBytes?: number;
  times?: Partial<JobTimes>;
  memory?: Partial<MemoryLimits>;
  readOnly?: boolean;
}

export interface Reply {
  status: number;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

/** Files of captures, and not what keeps the store in order. */
export function filesIn(directory: string): string[] {
  return readdirSync(directory).filter((name) => !name.startsWith('.'));
}

const temporary: string[] = [];
const running = new Set<App>();

/** A directory that is removed at the end. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'nodeops-jobs-'));
  temporary.push(directory);
  return directory;
}

/** For afterAll: ends every process and removes every directory. */
export async function cleanUp(): Promise<void> {
  await Promise.all([...running].map((app) => app.stop()));
  for (const directory of temporary.splice(0)) rmSync(directory, { recursive: true, force: true });
}

export class App {
  readonly port: number;
  readonly child: ChildProcess;
  readonly directory: string;
  /** What the app printed. */
  readonly stdout: { readonly text: string };
  stderr = '';

  private constructor(child: ChildProcess, port: number, directory: string, stdout: { readonly text: string }) {
    this.stdout = stdout;
    this.child = child;
    this.port = port;
    this.directory = directory;
    child.stderr!.on('data', (text) => {
      this.stderr += text;
    });
    running.add(this);
  }

  /** Runs `source` (CommonJS) with the captures beside it. */
  static async start(
    version: Version,
    source: string,
    options: Partial<HarnessOptions> & { artifacts?: string; args?: string[]; env?: Record<string, string> } = {},
  ): Promise<App> {
    const place = temporaryDirectory();
    const { args = [], env = {}, artifacts: directory = join(place, 'artifacts'), ...harness } = options;
    const worker = JSON.stringify(await captureWorker());
    const workerData = JSON.stringify({ ...harness, directory });
    writeFileSync(
      join(place, 'preload.cjs'),
      `const { Worker, isMainThread } = require('worker_threads');
       if (isMainThread) new Worker(${worker}, { workerData: ${workerData}, name: 'nodeops', env: {}, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: 256 } }).unref();`,
    );
    writeFileSync(join(place, 'app.cjs'), source);
    const child = spawn(
      resolve(`node_modules/${version}/bin/node`),
      ['--require', join(place, 'preload.cjs'), join(place, 'app.cjs'), ...args],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH ?? '', ...env } },
    );
    const output = { text: '' };
    const port = await new Promise<number>((found, failed) => {
      createInterface(child.stdout!).on('line', (line) => {
        output.text += `${line}\n`;
        if (line.startsWith('PORT ')) found(Number(line.slice(5)));
      });
      child.once('exit', (code) => failed(new Error(`the app ended with ${code}`)));
    });
    return new App(child, port, directory, output);
  }

  request(method: string, path: string, headers: Record<string, string> = {}): Promise<Reply> {
    return new Promise((found, failed) => {
      const request = this.open(method, path, headers, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part) => parts.push(part));
        response.on('end', () =>
          found({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(parts) }),
        );
        response.on('error', failed);
      });
      request.on('error', failed);
    });
  }

  open(method: string, path: string, headers: Record<string, string>, heard: (response: IncomingMessage) => void) {
    const request = httpRequest({ host: '127.0.0.1', port: this.port, method, path, headers, agent: false }, heard);
    request.end();
    return request;
  }

  // biome-ignore lint/suspicious/noExplicitAny: what a reply holds is what the tests are about
  async json(method: string, path: string): Promise<{ status: number; body: any }> {
    const { status, body } = await this.request(method, path);
    return { status, body: JSON.parse(body.toString()) };
  }

  /** Starts a capture; throws what was replied instead of 201. */
  async capture(name: CaptureName, query = ''): Promise<JobInfo> {
    const { status, body } = await this.json('POST', `/v1/${name}${query && `?${query}`}`);
    if (status !== 201) throw Object.assign(new Error(body.error.message), body.error);
    return body.data;
  }

  async info(id: string): Promise<JobInfo> {
    return (await this.json('GET', `/v1/jobs/${id}`)).body.data;
  }

  /** Polls until the capture is no longer running. */
  async ended(id: string): Promise<JobInfo> {
    return this.until(id, ({ state }) => state !== 'running');
  }

  async until(id: string, reached: (info: JobInfo) => boolean): Promise<JobInfo> {
    for (;;) {
      const info = await this.info(id);
      if (reached(info)) return info;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Takes a capture and returns what it yields. */
  async take(name: CaptureName, query = ''): Promise<{ info: JobInfo; text: string }> {
    const { id } = await this.capture(name, query);
    const info = await this.ended(id);
    if (info.error) throw Object.assign(new Error(info.error.message), info.error);
    return { info, text: (await this.request('GET', `/v1/jobs/${id}/artifact`)).body.toString() };
  }

  /** Waits until the app has printed that; returns the first group. */
  async printed(pattern: RegExp): Promise<string> {
    for (;;) {
      const match = pattern.exec(this.stdout.text);
      if (match) return match[1] ?? match[0];
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Names of the files that artifacts are kept in. */
  files(): string[] {
    try {
      return filesIn(join(this.directory, `nodeops-${process.getuid!()}`));
    } catch {
      return [];
    }
  }

  async stop(): Promise<void> {
    running.delete(this);
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGKILL');
    await gone;
  }
}

/** A loop that lets the event loop turn, so that profiles and traces have something to show. */
export const busyApp = `
  const kept = [];
  function burnCycles() { let x = 0; for (let i = 0; i < 2e6; i++) x += Math.sqrt(x + i); ${tooLargeToInline} return x; }
  function allocateKept() { for (let i = 0; i < 2000; i++) kept.push({ i, text: 'x' + i }); if (kept.length > 2e4) kept.splice(0, 1e4); }
  setInterval(burnCycles, 20);
  setInterval(allocateKept, 20);`;
/** Never returns to its event loop; prints `blocked` when that begins. */
export const blockedApp = `
  function blockingLoop() { let x = 0; for (;;) x += Math.sqrt(x + 1); }
  setTimeout(() => { require('fs').writeSync(1, 'blocked\\n'); blockingLoop(); }, 100);`;

/**
 * A way for an app to stay in native code until the test says so, and no longer than the test's files are there.
 * `script` calls execSync; `end` lets it return.
 */
export function nativeCode(): { readonly script: string; end(): void } {
  const directory = temporaryDirectory();
  return {
    script: `require('child_process').execSync(${JSON.stringify(`while [ -d '${directory}' ]; do sleep 0.2; done`)})`,
    end: () => rmSync(directory, { recursive: true, force: true }),
  };
}
