import { describe, expect, it } from 'vitest';
import { candidates, isMissing } from '../../../../src/plugin/transport/attach/candidates.ts';
import {
  type AttachPod,
  type ContainerSpec,
  chooseContainer,
} from '../../../../src/plugin/transport/attach/pod-spec.ts';

const podOf = (containers: readonly ContainerSpec[], spec: object = {}, metadata: object = {}) =>
  ({ metadata: { name: 'api-0', ...metadata }, spec: { containers, ...spec } }) as unknown as AttachPod;
const last = (container: ContainerSpec, spec: object = {}) =>
  candidates(container, podOf([container], spec)).map((command) => command.at(-1));

describe('candidates', () => {
  it('begins with node on the PATH, without what NODE_OPTIONS preloads', () => {
    const container = { name: 'app' };
    expect(candidates(container, podOf([container]))[0]).toEqual([
      'env',
      '-u',
      'NODE_OPTIONS',
      '-u',
      'NODE_V8_COVERAGE',
      'node',
    ]);
    expect(last(container)).toEqual(['node', 'node', '/usr/local/bin/node', '/usr/bin/node', '/nodejs/bin/node']);
  });

  it('takes the path that the pod starts, and process 1 only where that is said to be Node', () => {
    const named = { name: 'app', command: ['/opt/node-24/bin/node', 'server.js'] };
    expect(last(named)[0]).toBe('/opt/node-24/bin/node');
    expect(last(named)).toContain('/proc/1/exe');
    expect(last(named, { shareProcessNamespace: true })).not.toContain('/proc/1/exe');
    expect(last(named, { hostPID: true })).not.toContain('/proc/1/exe');
    for (const command of [['/bin/sh', '-c', 'node server.js'], ['tini', '--', 'node'], ['nginx'], ['/app/nodemon']])
      expect(last({ name: 'app', command })).not.toContain('/proc/1/exe');
  });

  it('goes on where there is no such command, and only there', () => {
    const runtime = (why: string) => ({ code: 126, message: `OCI runtime exec failed: exec: "node": ${why}: unknown` });
    expect(isMissing(runtime('executable file not found in $PATH'), '')).toBe(true);
    expect(isMissing(runtime('stat /usr/bin/node: no such file or directory'), '')).toBe(true);
    expect(isMissing({ code: 127, message: '' }, "env: 'node': No such file or directory\n")).toBe(true);
    expect(isMissing({ code: 9, message: 'command terminated with exit code 9' }, 'node: bad option: --x\n')).toBe(
      false,
    );
    expect(isMissing({ code: 137, message: 'command terminated with exit code 137' }, '')).toBe(false);
  });
});

describe('the container', () => {
  const ref = { namespace: 'shop', name: 'api-0' };
  const two = [{ name: 'web' }, { name: 'jobs' }];

  it('is the named one, the annotated one, or the only one', () => {
    expect(chooseContainer(ref, podOf(two), 'jobs').name).toBe('jobs');
    const annotations = { 'kubectl.kubernetes.io/default-container': 'jobs' };
    expect(chooseContainer(ref, podOf(two, {}, { annotations }), undefined).name).toBe('jobs');
    expect(chooseContainer(ref, podOf([{ name: 'web' }]), undefined).name).toBe('web');
  });

  it('has to be named otherwise', () => {
    expect(() => chooseContainer(ref, podOf(two), undefined)).toThrow(
      expect.objectContaining({ code: 'ambiguous-container', hint: '-c with one of: web, jobs' }),
    );
  });
});
