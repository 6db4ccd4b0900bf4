/**
 * A `KUBECONFIG` list read and merged by kubectl's rules (client-go's ClientConfigLoadingRules): the first file that says
 * something wins, missing and empty files are skipped, paths are relative to the file they stand in.
 */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { NodeopsError } from '../../../protocol/errors.ts';

export interface ClusterEntry {
  readonly server?: string;
  readonly 'certificate-authority'?: string;
  readonly 'certificate-authority-data'?: string;
  readonly 'insecure-skip-tls-verify'?: boolean;
  readonly 'tls-server-name'?: string;
  readonly 'proxy-url'?: string;
}
export interface ExecEntry {
  readonly command?: string;
  readonly args?: readonly string[] | null;
  readonly env?: readonly { name: string; value: string }[] | null;
  readonly apiVersion?: string;
  readonly installHint?: string;
  readonly provideClusterInfo?: boolean;
  readonly interactiveMode?: string;
}
export interface UserEntry {
  readonly 'client-certificate'?: string;
  readonly 'client-certificate-data'?: string;
  readonly 'client-key'?: string;
  readonly 'client-key-data'?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly as?: string;
  readonly 'as-uid'?: string;
  readonly 'as-groups'?: readonly string[];
  readonly 'as-user-extra'?: Readonly<Record<string, readonly string[]>>;
  readonly exec?: ExecEntry;
  readonly 'auth-provider'?: { readonly name: string; readonly config?: Readonly<Record<string, unknown>> };
}
export interface ContextEntry {
  readonly cluster?: string;
  readonly user?: string;
  readonly namespace?: string;
}
/** An entry as written, and the file it stands in, from which its relative paths count. */
export interface Origin<T> {
  readonly entry: T;
  readonly file: string;
}
export interface Kubeconfig {
  readonly clusters: ReadonlyMap<string, Origin<ClusterEntry>>;
  readonly users: ReadonlyMap<string, Origin<UserEntry>>;
  readonly contexts: ReadonlyMap<string, Origin<ContextEntry>>;
  /** Empty when no file names one. */
  readonly currentContext: string;
  /** Files that were read. */
  readonly files: readonly string[];
}

/** A kubeconfig this large is something else. */
const fileLimitBytes = 16 * 1024 * 1024;

/**
 * Reads `explicit` alone (it must exist), else the files of `KUBECONFIG`, else `~/.kube/config`.
 * Throws `kubeconfig` naming file and line.
 */
export async function loadKubeconfig(
  env: Readonly<Record<string, string | undefined>>,
  explicit: string | undefined,
): Promise<Kubeconfig> {
  const merged = {
    clusters: new Map<string, Origin<ClusterEntry>>(),
    users: new Map<string, Origin<UserEntry>>(),
    contexts: new Map<string, Origin<ContextEntry>>(),
    currentContext: '',
    files: [] as string[],
  };
  for (const file of listedFiles(env, explicit)) {
    const text = await readIfThere(file, explicit !== undefined);
    if (text === undefined) continue;
    merged.files.push(file);
    const content = await parse(text, file);
    addEntries(merged.clusters, content, 'clusters', 'cluster', file);
    addEntries(merged.users, content, 'users', 'user', file);
    addEntries(merged.contexts, content, 'contexts', 'context', file);
    const current = content['current-context'];
    if (merged.currentContext === '' && typeof current === 'string') merged.currentContext = current;
  }
  return merged;
}

function listedFiles(env: Readonly<Record<string, string | undefined>>, explicit: string | undefined): string[] {
  if (explicit !== undefined) return [resolve(explicit)];
  if (env.KUBECONFIG) {
    const files = env.KUBECONFIG.split(delimiter).filter((file) => file !== '');
    return [...new Set(files.map((file) => resolve(file)))];
  }
  return [join(env.HOME || homedir(), '.kube', 'config')];
}

async function readIfThere(file: string, required: boolean): Promise<string | undefined> {
  try {
    const text = await readFile(file, 'utf8');
    if (text.length > fileLimitBytes) throw new Error(`it is larger than ${fileLimitBytes} bytes`);
    return text;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && !required) return undefined;
    const why =
      code === 'ENOENT'
        ? 'no such file'
        : code === 'EACCES'
          ? 'permission denied'
          : code === 'EISDIR'
            ? 'it is a directory'
            : message;
    throw new NodeopsError('kubeconfig', `cannot read the kubeconfig ${file}: ${why}`, {
      cause: error,
      hint: required ? 'give an existing file with --kubeconfig' : `check ${file}, or take it out of KUBECONFIG`,
    });
  }
}

async function parse(text: string, file: string): Promise<Record<string, unknown>> {
  const { LineCounter, parseDocument } = await import('yaml');
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { version: '1.1', lineCounter });
  const problem = document.errors[0];
  if (problem) {
    const line = problem.linePos?.[0].line ?? lineCounter.linePos(problem.pos[0]).line;
    throw invalid(
      `${file}, line ${line}`,
      problem.message.split('\n', 1)[0]!.replace(/ at line \d+, column \d+:?$/, ''),
      problem,
    );
  }
  // bounds what a file of nested aliases can grow to
  const content: unknown = document.toJS({ maxAliasCount: 100 });
  if (content === null || content === undefined) return {};
  if (typeof content !== 'object' || Array.isArray(content)) throw invalid(file, 'it is not a mapping');
  const { kind, apiVersion } = content as Record<string, unknown>;
  if ((kind ?? 'Config') !== 'Config' || (apiVersion ?? 'v1') !== 'v1')
    throw invalid(file, `it is a ${kind ?? 'Config'} of ${apiVersion ?? 'v1'}, not a Config of v1`);
  return content as Record<string, unknown>;
}

function addEntries<T>(
  into: Map<string, Origin<T>>,
  content: Record<string, unknown>,
  list: string,
  key: string,
  file: string,
): void {
  const items = content[list] ?? [];
  if (!Array.isArray(items)) throw invalid(file, `'${list}' is not a list`);
  const seen = new Set<string>();
  for (const [index, item] of items.entries()) {
    const name: unknown = item?.name ?? '';
    const entry: unknown = item?.[key] ?? {};
    if (typeof name !== 'string' || typeof entry !== 'object')
      throw invalid(file, `${list}[${index}] has no name with a '${key}' below it`);
    if (seen.has(name)) throw invalid(file, `'${list}' names '${name}' twice`);
    seen.add(name);
    if (!into.has(name)) into.set(name, { entry: entry as T, file });
  }
}

function invalid(where: string, why: string, cause?: unknown): NodeopsError {
  return new NodeopsError('kubeconfig', `the kubeconfig ${where} is not valid: ${why}`, {
    cause,
    hint: 'kubectl config view',
  });
}

/** `path` as it is meant where it was written: relative to the kubeconfig `file` it stands in. */
export function resolveFrom(file: string, path: string): string {
  return resolve(dirname(file), path);
}
