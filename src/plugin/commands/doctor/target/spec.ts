/** What the pod's spec says about agent and inspector, before either is asked. Values of variables are never shown. */
import { wishAnnotations } from '../../../../protocol/annotations.ts';
import { type Finding, fail, ok, type Remedy, skip, warn } from '../check.ts';
import type { Examination, Link } from '../examination.ts';
import { appContainers, type ContainerSpec, nodeFlags, type PodObject, variable } from './pod-object.ts';

/** Every variable that an agent reads; another NODEOPS_* is a slip. */
const agentVariables = new Set(
  [
    ...[
      'ADDR',
      'ARTIFACTS_DIR',
      'ARTIFACTS_SIZE',
      'CONFIG_DIR',
      'CONTAINER',
      'DISABLED',
      'PORT',
      'READ_ONLY',
      'RECORDER',
    ],
    ...['REUSE_PORT', 'SHUTDOWN_CLEANUP', 'SLEEP_AFTER_MS', 'STALL_MS', 'TOKEN', 'TOKEN_FILE'],
    ...['TRACK', 'TRIGGERS', 'TRIGGERS_FILE'],
  ].map((name) => `NODEOPS_${name}`),
);
const off = new Set(['', '0', 'false', 'no', 'off']);

/** What one container has against it. */
interface Problem {
  readonly status: 'warn' | 'fail';
  readonly said: string;
  readonly remedy: Remedy;
}

export function examineSpec(exam: Examination, pod: Link<PodObject>): void {
  const overContainers = (id: string, what: string, fine: string, look: (container: ContainerSpec) => Problem[]) =>
    exam.link({ id, what, needs: [pod] }, (_, object) => {
      const problems = appContainers(object).flatMap((container) =>
        look(container).map((problem) => ({ ...problem, said: `${container.name}: ${problem.said}` })),
      );
      if (problems.length === 0) return ok(fine);
      const status = problems.some((problem) => problem.status === 'fail') ? 'fail' : 'warn';
      return { status, detail: problems.map(({ said }) => said).join('; '), remedy: together(problems) };
    });

  exam.link({ id: 'pod.network', what: "the pod's network", needs: [pod] }, (_, { spec }) => {
    if (!spec.hostNetwork) return ok('its own, so that its loopback is its own');
    return warn('the host network: every process of the node reaches the agent, and pods share its port', {
      say: 'take hostNetwork out, or set NODEOPS_TOKEN_FILE and a NODEOPS_PORT of its own',
    });
  });
  overContainers('node.options', 'NODE_OPTIONS', 'can be appended to', optionsProblems);
  overContainers('node.flags', 'flags of Node', 'none that keeps the inspector or the agent away', flagProblems);
  overContainers('agent.settings', 'NODEOPS_* variables', 'none that makes no sense', settingProblems);
  exam.link({ id: 'agent.read-only', what: 'captures allowed', needs: [pod] }, (_, object) => readOnlyFinding(object));
  exam.link({ id: 'artifacts', what: 'room for captures', needs: [pod] }, (_, object) => artifactsFinding(object));
}

/** Sentences one below the other; YAML is that of the first that has some. */
function together(problems: readonly Problem[]): Remedy {
  const says = new Set(problems.flatMap(({ remedy: { say } }) => say ?? []));
  const yaml = problems.find(({ remedy }) => remedy.yaml !== undefined)?.remedy.yaml;
  return { say: [...says].join('\n'), ...(yaml === undefined ? {} : { yaml }) };
}

function optionsProblems(container: ContainerSpec): Problem[] {
  const options = variable(container, 'NODE_OPTIONS');
  if (options?.valueFrom)
    return [
      {
        status: 'warn',
        said: 'comes from valueFrom, the injector cannot append to it',
        remedy: { say: 'write it literally:', yaml: 'env:\n- name: NODE_OPTIONS\n  value: THE VALUE IT HAS NOW' },
      },
    ];
  if (options || !container.envFrom?.length) return [];
  return [
    {
      status: 'warn',
      said: 'envFrom may set it, which the injector cannot see',
      remedy: {
        say: 'name it in env; where envFrom sets it, copy its value:',
        yaml: 'env:\n- name: NODE_OPTIONS\n  value: ""',
      },
    },
  ];
}

function flagProblems(container: ContainerSpec): Problem[] {
  const flags = nodeFlags(container);
  const problems: Problem[] = [];
  if (flags.includes('--disable-sigusr1'))
    problems.push({
      status: 'warn',
      said: '--disable-sigusr1 keeps the sidecar and --attach from opening the inspector',
      remedy: { say: 'take --disable-sigusr1 out, or load the agent' },
    });
  const permission = flags.some((flag) => /^--(?:experimental-)?permission(?:=|$)/.test(flag));
  if (permission && !flags.includes('--allow-worker'))
    problems.push({
      status: 'fail',
      said: '--permission without --allow-worker: the agent, which is a worker, steps aside',
      remedy: { say: 'add --allow-worker next to --permission' },
    });
  const exposed = flags.find((flag) => /^--inspect(?:-brk|-wait)?=(?:0\.0\.0\.0|\[?::\]?)(?::|$)/.test(flag));
  if (exposed)
    problems.push({
      status: 'warn',
      said: 'the inspector is open to the pod network: whoever reaches it runs code in the app',
      remedy: { say: 'take the address out, so that it listens on 127.0.0.1: --inspect' },
    });
  return problems;
}

function settingProblems({ env = [] }: ContainerSpec): Problem[] {
  return env.flatMap(({ name, value }) => {
    const said = name.startsWith('NODEOPS_') ? settingProblem(name, value) : undefined;
    return said ? [said] : [];
  });
}

function settingProblem(name: string, value: string | undefined): Problem | undefined {
  const remedy = (say: string): Remedy => ({ say });
  if (!agentVariables.has(name))
    return {
      status: 'warn',
      said: `no agent reads ${name}`,
      remedy: remedy('see docs/configuration.md for the variables there are'),
    };
  if (value === undefined) return undefined;
  switch (name) {
    case 'NODEOPS_DISABLED':
      if (off.has(value.toLowerCase())) return undefined;
      return {
        status: 'fail',
        said: 'NODEOPS_DISABLED keeps the agent from starting',
        remedy: remedy('take NODEOPS_DISABLED out'),
      };
    case 'NODEOPS_PORT':
      if (/^\d{1,5}$/.test(value) && Number(value) > 0 && Number(value) < 65_536) return undefined;
      return {
        status: 'warn',
        said: 'NODEOPS_PORT is no port, 8848 is used',
        remedy: remedy('set it to a port from 1024 to 65535'),
      };
    case 'NODEOPS_ADDR':
      if (/^(?:localhost|127\.[\d.]+|\[::1\])?(?::\d{1,5})?$/.test(value)) return undefined;
      return {
        status: 'warn',
        said: 'NODEOPS_ADDR opens the agent to the pod network, past the rights of Kubernetes',
        remedy: remedy('leave NODEOPS_ADDR out: port-forward reaches 127.0.0.1'),
      };
    case 'NODEOPS_SLEEP_AFTER_MS':
      if (/^\d+$/.test(value) && Number(value) >= 100 && Number(value) <= 86_400_000) return undefined;
      return {
        status: 'warn',
        said: `${name} makes no sense, 60000 is used`,
        remedy: remedy('it takes milliseconds from 100 to 86400000'),
      };
    case 'NODEOPS_TOKEN':
      return {
        status: 'warn',
        said: 'NODEOPS_TOKEN stands in the pod’s spec, for all to read who may read pods',
        remedy: remedy('keep it in a Secret: the chart’s value agent.tokenSecret, or NODEOPS_TOKEN_FILE'),
      };
    default:
      return undefined;
  }
}

function readOnlyFinding(pod: PodObject): Finding {
  const set = appContainers(pod).filter((container) => {
    const value = variable(container, 'NODEOPS_READ_ONLY')?.value;
    return value !== undefined && !off.has(value.toLowerCase());
  });
  if (set.length === 0) return ok('the spec makes no agent read-only');
  return warn(
    `${set.map(({ name }) => name).join(', ')}: read-only, the agent refuses captures and every other effect`,
    {
      say: 'if captures are meant to be possible (this rolls the pods):',
      yaml: `annotations:\n  ${wishAnnotations['read-only']}: "false"`,
    },
  );
}

function artifactsFinding(pod: PodObject): Finding {
  const remedy: Remedy = { yaml: `annotations:\n  ${wishAnnotations['artifacts-size']}: 1Gi` };
  const loaded = appContainers(pod).filter(({ env = [] }) => env.some(({ name }) => name.startsWith('NODEOPS_')));
  if (loaded.length === 0) return skip('no container is set up for the agent');
  for (const container of loaded) {
    const dir = variable(container, 'NODEOPS_ARTIFACTS_DIR')?.value;
    const mount = container.volumeMounts?.find(
      ({ mountPath }) => dir === mountPath || dir?.startsWith(`${mountPath}/`),
    );
    if (mount?.readOnly)
      return fail(`${container.name}: the volume ${mount.name} of NODEOPS_ARTIFACTS_DIR is mounted read-only`, {
        say: 'mount it writable',
      });
    if (!mount && container.securityContext?.readOnlyRootFilesystem)
      return warn(
        `${container.name}: a read-only root and no volume: captures are streamed, and cannot be resumed when the connection breaks`,
        remedy,
      );
    if (!mount)
      return warn(`${container.name}: no volume for captures: they are kept in the container, if at all`, remedy);
  }
  return ok(`a writable volume in ${loaded.map(({ name }) => name).join(', ')}`);
}
