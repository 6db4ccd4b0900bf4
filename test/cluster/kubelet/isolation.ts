/** How pods are kept apart: in namespaces, or where those are not to be had by loopback addresses alone. */
import { join } from 'node:path';
import { Container, type ContainerSpec, type Run } from './container.ts';
import { LoopbackContainer, LoopbackSandbox } from './loopback.ts';
import { type PodSandbox, Sandbox } from './sandbox.ts';

export type IsolationName = 'namespaces' | 'loopback';

export interface Isolation {
  readonly name: IsolationName;
  /** The address of the nth pod. */
  address(n: number): string;
  createSandbox(hostname: string, address: string, sharePids: boolean): Promise<PodSandbox>;
  startContainer(spec: ContainerSpec, sandbox: PodSandbox): Promise<Run>;
}

export const isolations: Readonly<Record<IsolationName, Isolation>> = {
  namespaces: {
    name: 'namespaces',
    address: (n) => `10.88.${n >> 8}.${n & 255}`,
    createSandbox: Sandbox.create,
    startContainer: (spec, sandbox) => Container.start(spec, sandbox as Sandbox, join(spec.root, '..')),
  },
  loopback: {
    name: 'loopback',
    // apart from other clusters on this machine, which have another process id
    address: (n) => `127.${1 + (process.pid % 254)}.${n >> 8}.${n & 255}`,
    createSandbox: async (_, address) => new LoopbackSandbox(address),
    startContainer: async (spec, sandbox) => new LoopbackContainer(spec, sandbox.address, spec.node),
  },
};
