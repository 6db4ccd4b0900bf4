/** What a target on the command line means. Parsing only: nothing is looked up. */
import { NodeopsError } from '../../protocol/errors.ts';
import { type WorkloadResource, workloadResource, workloads } from './workloads.ts';

export type TargetSpec =
  | { readonly kind: 'pid'; readonly pid: number }
  | { readonly kind: 'address'; readonly host: string; readonly port: number }
  | { readonly kind: 'pod'; readonly name: string }
  | { readonly kind: 'workload'; readonly resource: WorkloadResource; readonly name: string };

const podNames = new Set(['pod', 'pods', 'po']);
const dnsName = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;
const takes = 'a target is PID, HOST:PORT, NAME or pod/NAME, or a workload such as deploy/NAME';

/** Throws `usage` for what is no target. */
export function parseTarget(text: string): TargetSpec {
  if (/^\d+$/.test(text)) return { kind: 'pid', pid: parsePid(text) };
  if (/^[a-z]+:\/\//i.test(text)) throw wrong(text, 'it is a URL', 'leave the scheme out: HOST:PORT');
  const slash = text.indexOf('/');
  if (slash >= 0) return parseResource(text, text.slice(0, slash).toLowerCase(), text.slice(slash + 1));
  if (text.includes(':')) return parseAddress(text);
  return { kind: 'pod', name: parseName(text, text) };
}

/** As kubectl's own commands: `deploy web api` is `deploy/web deploy/api`. Throws `usage`, also for both forms at once. */
export function parseTargets(args: readonly string[]): TargetSpec[] {
  const [resource = '', ...names] = args;
  const typed = podNames.has(resource.toLowerCase()) || workloadResource(resource) !== undefined;
  if (!typed || names.length === 0 || resource.includes('/')) return args.map(parseTarget);
  const whole = names.find((name) => /[/:]/.test(name));
  if (whole !== undefined)
    throw new NodeopsError('usage', `'${resource}' is a kind of its own and '${whole.slice(0, 100)}' has one already`, {
      hint: `type ${resource}/NAME ${whole.slice(0, 100)}`,
    });
  return names.map((name) => parseTarget(`${resource}/${name}`));
}

function parsePid(text: string): number {
  const pid = Number(text);
  if (pid < 1 || pid > 2 ** 31 - 1) throw wrong(text, 'no process has this id');
  return pid;
}

function parseResource(text: string, resource: string, name: string): TargetSpec {
  if (podNames.has(resource)) return { kind: 'pod', name: parseName(text, name) };
  const workload = workloadResource(resource);
  if (!workload) {
    const known = Object.values(workloads).map(({ names }) => names[0]);
    throw wrong(text, `'${resource}' has no pods`, `known are pod, ${known.join(', ')}`);
  }
  return { kind: 'workload', resource: workload, name: parseName(text, name) };
}

function parseName(text: string, name: string): string {
  if (dnsName.test(name)) return name;
  throw wrong(text, name === '' ? 'the name is missing' : `'${name.slice(0, 64)}' is no name of a Kubernetes object`);
}

function parseAddress(text: string): TargetSpec {
  const match = /^(?:\[(?<v6>[0-9a-f:.]+(?:%[\w.-]+)?)\]|(?<host>[\w.-]*)):(?<port>\d{1,5})$/i.exec(text);
  const { v6, host, port } = match?.groups ?? {};
  if (port === undefined)
    throw wrong(
      text,
      /^[0-9a-f:.]*:[0-9a-f:.]*:/i.test(text)
        ? 'a v6 address stands in brackets: [::1]:8848'
        : 'its port is not a number',
    );
  if (Number(port) < 1 || Number(port) > 65_535) throw wrong(text, 'a port is from 1 to 65535');
  // as gops: a bare :PORT is on this machine
  return { kind: 'address', host: (v6 ?? host) || '127.0.0.1', port: Number(port) };
}

function wrong(text: string, why: string, hint: string = takes): NodeopsError {
  return new NodeopsError('usage', `'${text.slice(0, 100)}' is no target: ${why}`, { hint });
}
