import { describe, expect, it } from 'vitest';
import { parseTarget, parseTargets } from '../../../src/plugin/targets/parse.ts';
import { NodeopsError } from '../../../src/protocol/errors.ts';

describe('a target', () => {
  it.each([
    ['4711', { kind: 'pid', pid: 4711 }],
    ['127.0.0.1:8848', { kind: 'address', host: '127.0.0.1', port: 8848 }],
    ['node-1.example.com:80', { kind: 'address', host: 'node-1.example.com', port: 80 }],
    [':8848', { kind: 'address', host: '127.0.0.1', port: 8848 }],
    ['[::1]:8848', { kind: 'address', host: '::1', port: 8848 }],
    ['api-0', { kind: 'pod', name: 'api-0' }],
    ['pod/api-0', { kind: 'pod', name: 'api-0' }],
    ['pods/api-0', { kind: 'pod', name: 'api-0' }],
    ['po/4711', { kind: 'pod', name: '4711' }],
    ['deploy/web', { kind: 'workload', resource: 'deployments', name: 'web' }],
    ['Deployment/web', { kind: 'workload', resource: 'deployments', name: 'web' }],
    ['deployments.apps/web', { kind: 'workload', resource: 'deployments', name: 'web' }],
    ['sts/db', { kind: 'workload', resource: 'statefulsets', name: 'db' }],
    ['ds/log', { kind: 'workload', resource: 'daemonsets', name: 'log' }],
    ['rs/web-1', { kind: 'workload', resource: 'replicasets', name: 'web-1' }],
    ['rc/old', { kind: 'workload', resource: 'replicationcontrollers', name: 'old' }],
    ['job/once', { kind: 'workload', resource: 'jobs', name: 'once' }],
    ['svc/web', { kind: 'workload', resource: 'services', name: 'web' }],
  ])('%s', (text, value) => {
    expect(parseTarget(text)).toEqual(value);
  });
});

describe('no target', () => {
  it.each([
    ['', 'the name is missing'],
    ['0', 'no process has this id'],
    ['99999999999', 'no process has this id'],
    ['localhost:port', 'its port is not a number'],
    ['localhost:0', 'a port is from 1 to 65535'],
    ['localhost:70000', 'a port is from 1 to 65535'],
    ['::1:8848', 'a v6 address stands in brackets'],
    ['http://x:80', 'it is a URL'],
    ['pod/', 'the name is missing'],
    ['pod/a/b', 'is no name of a Kubernetes object'],
    ['API_0', 'is no name of a Kubernetes object'],
    ['configmap/x', "'configmap' has no pods"],
    ['--help', 'is no name of a Kubernetes object'],
    [`${'x'.repeat(300)}`, 'is no name of a Kubernetes object'],
  ])('%s is a usage error that says why and what to type', (text, why) => {
    let thrown: unknown;
    try {
      parseTarget(text);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(NodeopsError);
    const { code, message, hint } = thrown as NodeopsError;
    expect(code).toBe('usage');
    expect(message).toContain(why);
    expect(hint).toBeTruthy();
  });
});

describe('kubectl’s KIND NAME...', () => {
  it.each([
    [['pod', 'api-0'], ['pod/api-0']],
    [
      ['deploy', 'web', 'api'],
      ['deploy/web', 'deploy/api'],
    ],
    [['po', '4711'], ['po/4711']],
    [['job'], ['pod/job']],
    [
      ['api-0', 'job'],
      ['pod/api-0', 'pod/job'],
    ],
  ])('%j is %j', (args, same) => {
    expect(parseTargets(args)).toEqual(same.map(parseTarget));
  });

  it('beside KIND/NAME is a usage error', () => {
    expect(() => parseTargets(['deploy', 'web', 'pod/x'])).toThrow(
      expect.objectContaining({ code: 'usage', hint: 'type deploy/NAME pod/x' }),
    );
  });
});
