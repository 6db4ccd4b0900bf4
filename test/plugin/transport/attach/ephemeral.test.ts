import { afterEach, describe, expect, it } from 'vitest';
import { attachEphemeral } from '../../../../src/plugin/transport/attach/ephemeral.ts';
import {
  ephemeralContainer,
  reusable,
  securityContextFor,
} from '../../../../src/plugin/transport/attach/ephemeral-spec.ts';
import type { AttachPod } from '../../../../src/plugin/transport/attach/pod-spec.ts';
import { restRecording, type Seen, startServer, type TestServer } from '../kube/server.ts';

const container = { name: 'app' };
const podOf = (more: { spec?: object; status?: object } = {}) =>
  ({
    metadata: { name: 'api-0', namespace: 'shop' },
    spec: { containers: [container], ...more.spec },
    status: { phase: 'Running', containerStatuses: [{ name: 'app', state: { running: {} } }], ...more.status },
  }) as unknown as AttachPod;
const runningAs = (uid: number, gid: number) => ({
  containerStatuses: [{ name: 'app', state: { running: {} }, user: { linux: { uid, gid } } }],
});
const wish = { name: 'nodeops-abc123', image: 'nodeops:1', port: 8848 };

describe('the ephemeral container', () => {
  it('runs as the user that the app was seen to run as, and meets PodSecurity restricted', () => {
    expect(securityContextFor(container, podOf({ status: runningAs(1001, 1002) }))).toEqual({
      runAsUser: 1001,
      runAsGroup: 1002,
      runAsNonRoot: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
      readOnlyRootFilesystem: true,
    });
  });

  it('takes the user of the container, then of the pod, where the status does not tell', () => {
    const spec = { securityContext: { runAsUser: 500, runAsGroup: 600 } };
    expect(securityContextFor(container, podOf({ spec }))).toMatchObject({ runAsUser: 500, runAsGroup: 600 });
    const own = { name: 'app', securityContext: { runAsUser: 700 } };
    expect(securityContextFor(own, podOf({ spec }))).toMatchObject({ runAsUser: 700, runAsGroup: 600 });
  });

  it('keeps the capabilities of a root app, without which it could not look into it', () => {
    const context = securityContextFor(container, podOf({ status: runningAs(0, 0) }));
    expect(context).toMatchObject({ runAsUser: 0, capabilities: {} });
    expect(context).not.toHaveProperty('runAsNonRoot');
  });

  it('is told whose processes it sees, unless it sees those of all containers', () => {
    const names = (pod: AttachPod) => ephemeralContainer(wish, container, pod).env!.map(({ name }) => name);
    expect(names(podOf())).toContain('NODEOPS_TARGET_CONTAINER');
    expect(names(podOf({ spec: { shareProcessNamespace: true } }))).not.toContain('NODEOPS_TARGET_CONTAINER');
  });

  it('is used again while it runs, for the same image, port and user', () => {
    const wished = ephemeralContainer(wish, container, podOf());
    const there = { ...wished, name: 'nodeops-000000' };
    const state = (what: object) => ({ ephemeralContainerStatuses: [{ name: there.name, state: what }] });
    const withIt = (status: object) => podOf({ spec: { ephemeralContainers: [there] }, status });
    expect(reusable(withIt(state({ running: {} })), wished)?.name).toBe('nodeops-000000');
    expect(reusable(withIt(state({ terminated: {} })), wished)).toBeUndefined();
    const other = ephemeralContainer({ ...wish, port: 9000 }, container, podOf());
    expect(reusable(withIt(state({ running: {} })), other)).toBeUndefined();
  });
});

describe('what stands in the way', () => {
  let server: TestServer | undefined;
  afterEach(() => server?.close());

  const failure = async (answer: (request: Seen) => { status: number; body: unknown }) => {
    server = await startServer({ rest: answer });
    const endpoint = { name: 'pod/ok-0', noAgentHint: '', connect: () => Promise.reject(new Error('not asked')) };
    const ref = { namespace: 'shop', name: 'api-0' };
    const said: string[] = [];
    const wishes = {
      pod: ref,
      container: undefined,
      image: 'nodeops:1',
      port: 8848,
      endpoint,
      say: (text: string) => void said.push(text),
    };
    return attachEphemeral(await server.api(), wishes, AbortSignal.timeout(30_000)).then(
      () => undefined,
      (error) => ({ error, said }),
    );
  };

  it("the namespace's policy", async () => {
    const outcome = await failure(({ method }) =>
      method === 'PATCH' ? restRecording('ephemeral-container-violates-restricted') : { status: 200, body: podOf() },
    );
    expect(outcome?.error).toMatchObject({
      code: 'forbidden',
      message: expect.stringMatching(
        /^the namespace's policy refuses the ephemeral container: .*violates PodSecurity "restricted:latest"/,
      ),
      hint: expect.stringContaining('--attach=exec'),
    });
  });

  it('a missing right', async () => {
    const outcome = await failure(({ method }) =>
      method === 'PATCH' ? restRecording('ephemeral-container-forbidden') : { status: 200, body: podOf() },
    );
    expect(outcome?.error).toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining('may not patch pods/ephemeralcontainers'),
    });
  });

  it('an image that cannot be pulled, and a program that ends', async () => {
    let added = '';
    const answer = (state: object) => (request: Seen) => {
      if (request.method === 'PATCH') added = JSON.parse(request.body).spec.ephemeralContainers[0].name;
      const status = added ? { ephemeralContainerStatuses: [{ name: added, state }] } : {};
      return { status: 200, body: podOf({ status: { ...podOf().status, ...status } }) };
    };
    const waiting = { reason: 'ImagePullBackOff', message: 'Back-off pulling image "nodeops:1"' };
    const pulled = await failure(answer({ waiting }));
    expect(pulled?.error.message).toMatch(
      /^the ephemeral container 'nodeops-.*' does not start: ImagePullBackOff: Back-off/,
    );
    expect(pulled?.error.hint).toContain('--attach-image');
    await server?.close();
    added = '';
    const ended = await failure(answer({ terminated: { reason: 'Error', exitCode: 1 } }));
    expect(ended?.error.message).toContain('ended at once: Error, exit code 1');
    expect(ended?.error.hint).toMatch(/logs -n shop api-0 -c nodeops-/);
  });
});
