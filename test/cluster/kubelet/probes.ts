/** Readiness, liveness and startup probes, from the pod's own network namespace. */
import { request } from 'node:http';
import type { Json } from '../api/types.ts';
import type { Run } from './container.ts';
import type { PodSandbox } from './sandbox.ts';

/** Why a probe failed, in the kubelet's words; undefined when it passed. */
export async function probe(check: Json, container: Json, run: Run, sandbox: PodSandbox): Promise<string | undefined> {
  const timeoutMs = (check.timeoutSeconds ?? 1) * 1000;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('context deadline exceeded'), timeoutMs);
  });
  try {
    return await Promise.race([attempt(check, container, run, sandbox, timeoutMs), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function attempt(check: Json, container: Json, run: Run, sandbox: PodSandbox, timeoutMs: number) {
  try {
    if (check.exec) return await execProbe(check.exec.command, run);
    if (check.tcpSocket) {
      const port = portNumber(check.tcpSocket.port, container);
      (await sandbox.dial(port, check.tcpSocket.host ?? sandbox.address)).destroy();
      return undefined;
    }
    if (check.httpGet) return await httpProbe(check.httpGet, container, sandbox, timeoutMs);
    return undefined;
  } catch (error) {
    const port = portNumber(check.tcpSocket?.port ?? check.httpGet?.port, container);
    const text = (error as Error).message === 'ECONNREFUSED' ? 'connect: connection refused' : (error as Error).message;
    return `dial tcp ${sandbox.address}:${port}: ${text}`;
  }
}

function execProbe(command: string[], run: Run): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = run.exec(command, false);
    let output = '';
    child.stdin!.end();
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => {
        if (output.length < 10_240) output += text;
      });
    child.on('close', (code) => resolve(code === 0 ? undefined : output));
  });
}

async function httpProbe(
  get: Json,
  container: Json,
  sandbox: PodSandbox,
  timeoutMs: number,
): Promise<string | undefined> {
  const port = portNumber(get.port, container);
  const socket = await sandbox.dial(port, get.host ?? sandbox.address);
  return new Promise((resolve, reject) => {
    const headers = Object.fromEntries((get.httpHeaders ?? []).map(({ name, value }: Json) => [name, value]));
    const asked = request(
      {
        createConnection: () => socket,
        path: get.path ?? '/',
        timeout: timeoutMs,
        headers: {
          host: `${sandbox.address}:${port}`,
          'user-agent': 'kube-probe/1.36',
          connection: 'close',
          ...headers,
        },
      },
      (response) => {
        response.resume();
        const code = response.statusCode ?? 0;
        resolve(code >= 200 && code < 400 ? undefined : `HTTP probe failed with statuscode: ${code}`);
      },
    );
    asked.on('error', reject).end();
  });
}

function portNumber(port: unknown, container: Json): number {
  if (typeof port === 'number') return port;
  return container.ports?.find(({ name }: Json) => name === port)?.containerPort ?? Number(port);
}

export interface ProbeHandlers {
  /** The probe's verdict after its threshold: called on each change, and for liveness on each failure streak. */
  onResult(passed: boolean): void;
  onFailure(message: string): void;
}

/** Runs a probe for as long as its container runs; returns what stops it. */
export function watchProbe(
  check: Json,
  container: Json,
  run: Run,
  sandbox: PodSandbox,
  { onResult, onFailure }: ProbeHandlers,
): () => void {
  let [stopped, passes, failures] = [false, 0, 0];
  let timer: NodeJS.Timeout;
  const turn = async () => {
    const failure = await probe(check, container, run, sandbox);
    if (stopped) return;
    if (failure === undefined) {
      failures = 0;
      if (++passes >= (check.successThreshold ?? 1)) onResult(true);
    } else {
      passes = 0;
      onFailure(failure);
      if (++failures >= (check.failureThreshold ?? 3)) onResult(false);
    }
    if (!stopped) timer = setTimeout(turn, (check.periodSeconds ?? 10) * 1000);
  };
  timer = setTimeout(turn, (check.initialDelaySeconds ?? 0) * 1000);
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
