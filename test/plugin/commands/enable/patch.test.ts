import { describe, expect, it } from 'vitest';
import * as inject from '../../../../src/inject/annotations.ts';
import { disabling, enabling, templatePatch, type Wishes } from '../../../../src/plugin/commands/enable/patch.ts';
import { wishAnnotations } from '../../../../src/protocol/annotations.ts';

const none: Wishes = {
  containers: undefined,
  port: undefined,
  sidecar: false,
  'artifacts-size': undefined,
  image: undefined,
  'read-only': false,
  triggers: undefined,
  'triggers-configmap': undefined,
};
const template = (annotations: Record<string, string> = {}) => ({
  metadata: { annotations },
  spec: { initContainers: [{ name: 'migrate' }], containers: [{ name: 'web' }, { name: 'jobs' }] },
});

describe('enabling', () => {
  it('writes the one annotation', () => {
    expect(enabling(none, template())).toEqual({ 'nodeops.dev/inject': 'true' });
    expect(enabling(none, {})).toEqual({ 'nodeops.dev/inject': 'true' });
  });

  it('writes what else was wished for, as the injector reads it', () => {
    const wishes: Wishes = {
      containers: ' web, jobs,',
      port: 9100,
      sidecar: true,
      'artifacts-size': '512Mi',
      image: 'registry/nodeops:1',
      'read-only': true,
      triggers: 'when cpu > 90% for 1m capture pprof-cpu; when rss > 1GB capture report',
      'triggers-configmap': 'web.triggers',
    };
    const annotations = enabling(wishes, template()) as Record<string, string>;
    const settings = { port: 8848, sidecar: false, image: 'x', readOnly: false } as never;
    const read = inject.readWishes({ metadata: { annotations }, spec: { containers: [] } }, settings);
    expect(read).toEqual({
      containers: ['web', 'jobs'],
      port: '9100',
      sidecar: true,
      artifactsMebibytes: 512,
      image: 'registry/nodeops:1',
      readOnly: true,
      triggers: 'when cpu > 90% for 1m capture pprof-cpu; when rss > 1GB capture report',
      triggersConfigMap: 'web.triggers',
      notes: [],
    });
  });

  it('leaves trigger rules alone that are there and were not named', () => {
    const annotations = { 'nodeops.dev/triggers': 'when cpu > 90% capture stack' };
    expect(enabling(none, template(annotations))).toEqual({ 'nodeops.dev/inject': 'true' });
    expect(enabling({ ...none, triggers: '' }, template(annotations))).toEqual({
      'nodeops.dev/inject': 'true',
      'nodeops.dev/triggers': '',
    });
  });

  it('changes nothing that is so already', () => {
    expect(enabling(none, template({ 'nodeops.dev/inject': 'true', 'nodeops.dev/port': '9100' }))).toEqual({});
    const moved = enabling(
      { ...none, port: 9200 },
      template({ 'nodeops.dev/inject': 'true', 'nodeops.dev/port': '9100' }),
    );
    expect(moved).toEqual({ 'nodeops.dev/port': '9200' });
  });

  it.each([
    [{ containers: 'web,nope' }, /no container 'nope'/],
    [{ 'artifacts-size': '1G' }, /--artifacts-size is '1G'/],
    [{ image: 'a b' }, /--image is 'a b'/],
    [{ triggers: 'when heap > 1GB capture report' }, /--triggers, line 1: .*'heap' is not a figure; there are cpu/],
    [{ triggers: 'when cpu > 90% capture stack # $(A)' }, /at most 4096 characters without \$/],
    [{ triggers: `when cpu > 90% capture stack #${'x'.repeat(4_096)}` }, /at most 4096 characters without \$/],
    [{ 'triggers-configmap': 'Web_Triggers' }, /--triggers-configmap is 'Web_Triggers'/],
  ])('refuses %o', (wish, message) => {
    expect(() => enabling({ ...none, ...wish }, template())).toThrow(message);
  });
});

describe('disabling', () => {
  it('takes away all that enabling may have written, and nothing else', () => {
    const annotations = { 'nodeops.dev/inject': 'true', 'nodeops.dev/port': '9100', 'app.example/owner': 'jane' };
    expect(disabling(template(annotations), false)).toEqual({ 'nodeops.dev/inject': null, 'nodeops.dev/port': null });
    expect(disabling(template(), false)).toEqual({});
  });

  it('says no where the namespace asks for all its pods', () => {
    expect(disabling(template(), true)).toEqual({ 'nodeops.dev/inject': 'false' });
    expect(disabling(template({ 'nodeops.dev/inject': 'false' }), true)).toEqual({});
  });
});

describe('the patch', () => {
  it('goes to the template, of a CronJob to that of its Jobs', () => {
    const annotations = { 'nodeops.dev/inject': 'true' };
    const metadata = { annotations };
    expect(templatePatch('deployments', annotations)).toEqual({ spec: { template: { metadata } } });
    expect(templatePatch('cronjobs', annotations)).toEqual({
      spec: { jobTemplate: { spec: { template: { metadata } } } },
    });
  });

  it('speaks of the annotations that the injector reads', () => {
    expect(
      inject.asks({ metadata: { annotations: { [wishAnnotations.inject]: 'true' } }, spec: { containers: [] } }, false),
    ).toBe(true);
  });
});
