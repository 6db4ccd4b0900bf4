import { describe, expect, it } from 'vitest';
import type { PodObject } from '../../../../src/plugin/commands/doctor/target/pod-object.ts';
import { triggersFinding } from '../../../../src/plugin/commands/doctor/target/triggers.ts';
import type { TriggersState } from '../../../../src/protocol/history.ts';

const again = { run: ['kubectl rollout restart deploy/api -n shop'] };
const rule = 'when cpu > 90% for 1m capture pprof-cpu';

function told(name: string, state: Partial<TriggersState> | null | undefined = {}) {
  return { name, state: state && { rules: [], lasting: true, errors: [], ...state } };
}
function ruled(rules: Record<string, string | null>, more: Partial<TriggersState> = {}): Partial<TriggersState> {
  const states = Object.entries(rules).map(([text, firedAt]) => ({ rule: text, source: 'NODEOPS_TRIGGERS', firedAt }));
  return { rules: states, ...more };
}
function pod(annotations: Record<string, string>, env: string[] = []): PodObject {
  const containers = [{ name: 'app', env: env.map((name) => ({ name, value: 'x' })) }];
  return { metadata: { name: 'api-0', annotations }, spec: { containers } } as unknown as PodObject;
}
const injected = { 'nodeops.dev/injected': 'app' };

describe('what doctor says of triggers', () => {
  it('is nothing where none were asked for', () => {
    expect(triggersFinding([told('app/1', null)], pod(injected), again)).toEqual({ status: 'ok', detail: 'no rules' });
  });

  it('names the rules in force and when they last fired, over all processes', () => {
    const states = [
      told('app/1', ruled({ [rule]: null, 'when rss > 1GB capture report': '2026-06-01T12:00:00.000Z' })),
      told('app/2', ruled({ [rule]: '2026-06-01T13:00:00.000Z' }, { lasting: false })),
    ];
    expect(triggersFinding(states, pod(injected), again)).toEqual({
      status: 'ok',
      detail:
        `2 in force: ${rule} (fired 2026-06-01T13:00:00.000Z); when rss > 1GB capture report (fired 2026-06-01T12:00:00.000Z)` +
        '; in 1 of 2 processes only while the agent is awake',
    });
  });

  it('names three, and how many more', () => {
    const rules = Object.fromEntries([1, 2, 3, 4, 5].map((n) => [`when threads > ${n} capture stack`, null]));
    const { detail } = triggersFinding([told('app/1', ruled(rules))], undefined, {});
    expect(detail).toMatch(/^5 in force: .*> 3 capture stack \(not fired\); and 2 more$/);
  });

  it.each([
    [["NODEOPS_TRIGGERS, line 1: 'x': a rule is"], { say: expect.stringContaining('docs/triggers.md') }],
    [
      ['triggers capture nothing: NODEOPS_ARTIFACTS_DIR names'],
      { yaml: expect.stringContaining('artifacts-size: 1Gi') },
    ],
    [['NODEOPS_TRIGGERS_FILE cannot be read: ENOENT: x'], { say: expect.stringContaining('create the ConfigMap') }],
  ])('warns of %o with what mends it', (errors, remedy) => {
    const finding = triggersFinding(
      [told('app/1', null), told('app/2', ruled({ [rule]: null }, { errors }))],
      undefined,
      {},
    );
    expect(finding).toMatchObject({ status: 'warn', remedy });
    expect(finding.detail).toBe(`app/2: ${errors[0]}; 1 in force: ${rule} (not fired)`);
  });

  it.each([
    ['nodeops.dev/triggers', injected, 'it came after the pod was created'],
    ['nodeops.dev/triggers-configmap', injected, 'it came after the pod was created'],
    ['nodeops.dev/triggers', {}, 'the pod was not injected'],
  ])('warns of %s that no container has heard of', (annotation, more, why) => {
    const finding = triggersFinding(
      [told('app/1', null)],
      pod({ ...more, [annotation]: 'rules' }, ['NODEOPS_PORT']),
      again,
    );
    expect(finding).toMatchObject({ status: 'warn', remedy: again });
    expect(finding.detail).toContain(`${annotation} has no effect: ${why}`);
  });

  it.each([
    ['that reached a container', { 'nodeops.dev/triggers': rule }, ['NODEOPS_TRIGGERS']],
    ['that is empty', { 'nodeops.dev/triggers': '' }, []],
    [
      'that the injector ignored and said so',
      { 'nodeops.dev/triggers': '$', 'nodeops.dev/skipped': 'pod: nodeops.dev/triggers was ignored, it takes rules' },
      [],
    ],
  ])('is not a warning of an annotation %s', (_, annotations, env) => {
    expect(
      triggersFinding([told('app/1', null)], pod({ ...injected, ...annotations } as never, env), again).status,
    ).toBe('ok');
  });

  it('is that it cannot be told where the agents are too old', () => {
    expect(
      triggersFinding(
        [told('app/1', undefined)].map(({ name }) => ({ name, state: undefined })),
        undefined,
        {},
      ),
    ).toMatchObject({
      status: 'skip',
    });
  });
});
