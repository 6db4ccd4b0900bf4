/**
 * `__complete WORDS…`: what kubectl runs (as `kubectl_complete-nodeops`) and the shells' scripts too. Prints
 * `value<TAB>description` lines and then cobra's directive `:4`, no file names. Never fails: an empty list is the worst.
 */

import { type Io, write } from '../../io.ts';
import { type KubeOptions, kubeFlags } from '../../transport/kube/options.ts';
import { commands } from '../index.ts';
import { type Candidate, complete, type Names } from './complete.ts';

/** A shell waits for the answer: longer than this nobody does. */
const lookupTimeoutMs = 2_000;

export async function runCompletion(words: readonly string[], io: Io): Promise<number> {
  const candidates = await complete(words, commands, clusterNames(kubeOptionsIn(words), io));
  const lines = candidates.map(({ value, description }) => (description ? `${value}\t${description}\n` : `${value}\n`));
  await write(io.stdout, `${lines.join('')}:4\n`);
  return 0;
}

/** The connection flags among words that are still being typed. */
function kubeOptionsIn(words: readonly string[]): KubeOptions {
  const found: Record<string, string> = {};
  for (const [name, flag] of Object.entries(kubeFlags)) {
    if (flag.type !== 'text') continue;
    for (const [index, word] of words.entries()) {
      if (word === `--${flag.flag}` || ('short' in flag && word === `-${flag.short}`))
        found[name] = words[index + 1] ?? '';
      if (word.startsWith(`--${flag.flag}=`)) found[name] = word.slice(flag.flag.length + 3);
    }
  }
  return found;
}

function clusterNames(options: KubeOptions, io: Io): Names {
  const connect = async () => {
    const [{ KubeApi }, { loadConnection }] = await Promise.all([
      import('../../transport/kube/api.ts'),
      import('../../transport/kube/config.ts'),
    ]);
    return new KubeApi(await loadConnection(options, io.env));
  };
  const signal = AbortSignal.timeout(lookupTimeoutMs);
  const quietly = (look: () => Promise<Candidate[]>) => look().catch(() => []);
  const namesAt = (path: (namespace: string) => string) => async () => {
    const api = await connect();
    const names: Candidate[] = [];
    for await (const { metadata } of api.list<{ metadata: { name: string } }>(path(api.connection.namespace), {
      signal,
    }))
      names.push({ value: metadata.name });
    return names;
  };
  return {
    pods: () => quietly(namesAt((namespace) => `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`)),
    namespaces: () => quietly(namesAt(() => '/api/v1/namespaces')),
    containers: (name) =>
      quietly(async () => {
        const { containersOf, getPod } = await import('../../transport/kube/pods.ts');
        const api = await connect();
        const { pod } = await getPod(api, { namespace: api.connection.namespace, name }, signal);
        return containersOf(pod).map((value) => ({ value }));
      }),
    processes: (name) =>
      quietly(async () => {
        const [{ podTarget }, { askAll }] = await Promise.all([
          import('../../targets/pod.ts'),
          import('../../client/ask.ts'),
        ]);
        const api = await connect();
        const target = podTarget(api, { pod: { namespace: api.connection.namespace, name } });
        const [answer] = await askAll([target], 'processes', {}, { timeout: lookupTimeoutMs }, io);
        return (answer?.value?.data.processes ?? []).map(({ pid, name, container }) => ({
          value: String(pid),
          description: container === null ? name : `${name} in ${container}`,
        }));
      }),
  };
}
