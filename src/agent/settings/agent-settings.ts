/** Options and NODEOPS_* variables, completed and checked into one plain value that also travels to the worker. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { knownPort } from '../../protocol/limits.ts';
import type { ListenOptions } from '../public.d.ts';
import { type ArtifactSettings, artifactSettings } from './artifact-settings.ts';

export interface Settings {
  readonly host: string;
  /** The port shared by the processes of a pod; 0 for none. */
  readonly port: number;
  readonly configDir: string;
  readonly container: string | null;
  /** `watch`: one process of a container is watched and watches. `standby`: nothing runs until somebody asks. */
  readonly mode: 'watch' | 'standby';
  readonly token: string | null;
  readonly readOnly: boolean;
  readonly shutdownCleanup: boolean;
  readonly reusePort: boolean;
  readonly sleepAfterMs: number;
  /** Whether it is kept where handles, requests and timers are created. */
  readonly track: boolean;
  /** Where captures are kept. */
  readonly artifacts: ArtifactSettings;
  /** What was asked for in vain; shown by `version`. */
  readonly notes: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;
const containerName = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;

/** Settings from options, and from the environment where an option is absent. Throws TypeError naming the option that makes no sense. */
export function complete(options: ListenOptions, environment: Environment): Settings {
  checkTypes(options);
  const base = fromEnvironment(environment);
  // what is empty is not given, as in gops
  const address = options.addr ? parseAddress(options.addr, base) : base;
  if (!address) throw new TypeError(`addr is '${options.addr}'; it takes HOST:PORT, such as 127.0.0.1:${knownPort}`);
  if (options.container !== undefined && !containerName.test(options.container))
    throw new TypeError(
      `container is '${options.container}'; it takes a container's name: lower case letters, digits, - and .`,
    );
  const { mode = base.mode, sleepAfterMs = base.sleepAfterMs, token = base.token } = options;
  if (mode !== 'watch' && mode !== 'standby') throw new TypeError(`mode is '${mode}'; it takes watch or standby`);
  if (!Number.isInteger(sleepAfterMs) || sleepAfterMs < 100 || sleepAfterMs > 86_400_000)
    throw new TypeError(`sleepAfterMs is ${sleepAfterMs}; it takes milliseconds from 100 to 86400000`);
  if (token === '') throw new TypeError('token is empty; leave it out to ask for none');
  checkToken('token', token);
  return {
    ...base,
    host: address.host,
    port: address.port,
    configDir: options.configDir ? resolve(options.configDir) : base.configDir,
    container: options.container ?? base.container,
    mode,
    token,
    readOnly: options.readOnly ?? base.readOnly,
    shutdownCleanup: options.shutdownCleanup ?? base.shutdownCleanup,
    reusePort: options.reuseSocketAddrAndPort ?? base.reusePort,
    sleepAfterMs,
    track: options.track ?? base.track,
  };
}

const optionTypes: Readonly<Record<keyof ListenOptions, 'string' | 'boolean' | 'number'>> = {
  ...{
    addr: 'string',
    configDir: 'string',
    container: 'string',
    mode: 'string',
    token: 'string',
    sleepAfterMs: 'number',
  },
  ...{ shutdownCleanup: 'boolean', reuseSocketAddrAndPort: 'boolean', readOnly: 'boolean', track: 'boolean' },
};

/** A program that is no TypeScript may give anything: 'no' would be a yes, and a port alone a host. */
function checkTypes(options: ListenOptions): void {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`options are ${options === null ? 'null' : `a ${typeof options}`}; listen() takes an object`);
  for (const [name, type] of Object.entries(optionTypes)) {
    const value: unknown = options[name as keyof ListenOptions];
    if (value !== undefined && typeof value !== type)
      throw new TypeError(`${name} is ${value === null ? 'null' : `a ${typeof value}`}; it takes a ${type}`);
  }
}

/** What an Authorization header cannot carry would be a token that nobody can give. */
function checkToken(name: string, token: string | null): void {
  if (token !== null && !/^[\x21-\x7e\x80-\xff]+$/.test(token))
    throw new TypeError(`${name} holds a space or another character that no HTTP header can carry`);
}

/**
 * Settings from NODEOPS_* variables; one that makes no sense is noted and its default used, since a guest does not stop the app.
 * Throws when a token is asked for and cannot be read: an agent without it would be open to more people than was meant.
 */
export function fromEnvironment(environment: Environment): Settings {
  const notes: string[] = [];
  const ignored = (name: string, used: string) =>
    notes.push(`${name} is '${environment[name]}'; ${used} is used instead`);
  let address: Address = { host: '127.0.0.1', port: knownPort };
  if (environment.NODEOPS_PORT) {
    const port = parsePort(environment.NODEOPS_PORT);
    if (port === undefined) ignored('NODEOPS_PORT', String(knownPort));
    else address = { ...address, port };
  }
  if (environment.NODEOPS_ADDR) {
    const parsed = parseAddress(environment.NODEOPS_ADDR, address);
    if (!parsed) ignored('NODEOPS_ADDR', `${address.host}:${address.port}`);
    else address = parsed;
  }
  let container = environment.NODEOPS_CONTAINER || null;
  if (container && !containerName.test(container)) {
    ignored('NODEOPS_CONTAINER', 'no name');
    container = null;
  }
  let mode: Settings['mode'] = 'watch';
  if (environment.NODEOPS_MODE === 'standby') mode = 'standby';
  else if (environment.NODEOPS_MODE && environment.NODEOPS_MODE !== 'watch') ignored('NODEOPS_MODE', mode);
  let sleepAfterMs = 60_000;
  if (environment.NODEOPS_SLEEP_AFTER_MS) {
    const asked = Number(environment.NODEOPS_SLEEP_AFTER_MS);
    if (Number.isInteger(asked) && asked >= 100 && asked <= 86_400_000) sleepAfterMs = asked;
    else ignored('NODEOPS_SLEEP_AFTER_MS', String(sleepAfterMs));
  }
  const track = environment.NODEOPS_TRACK === 'async';
  if (!track && isSet(environment.NODEOPS_TRACK)) ignored('NODEOPS_TRACK', 'no tracking');
  const artifacts = artifactSettings(environment);
  notes.push(...artifacts.notes);
  const configDir = environment.NODEOPS_CONFIG_DIR || environment.GOPS_CONFIG_DIR;
  return {
    ...address,
    configDir: configDir ? resolve(configDir) : join(home(), '.config', 'gops'),
    container,
    mode,
    token: readToken(environment),
    readOnly: isSet(environment.NODEOPS_READ_ONLY),
    shutdownCleanup: environment.NODEOPS_SHUTDOWN_CLEANUP === undefined || isSet(environment.NODEOPS_SHUTDOWN_CLEANUP),
    reusePort: isSet(environment.NODEOPS_REUSE_PORT),
    sleepAfterMs,
    track,
    artifacts,
    notes,
  };
}

/** Whether a variable such as NODEOPS_DISABLED says yes. */
export function isSet(value: string | undefined): boolean {
  return value !== undefined && !['', '0', 'false', 'no', 'off'].includes(value.toLowerCase());
}

interface Address {
  readonly host: string;
  readonly port: number;
}

function parseAddress(text: string, base: Address): Address | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^\s:[\]]*))(?::(\d{1,5}))?$/i.exec(text);
  if (!match || text === '') return undefined;
  const port = match[3] === undefined ? base.port : parsePort(match[3]);
  return port === undefined ? undefined : { host: match[1] || match[2] || base.host, port };
}

function parsePort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  return port <= 65_535 ? port : undefined;
}

function readToken(environment: Environment): string | null {
  const { NODEOPS_TOKEN_FILE: file, NODEOPS_TOKEN: variable } = environment;
  const text = file ? readFileSync(file, 'utf8') : variable;
  if (!file && !text) return null;
  const name = file ? `${file} (NODEOPS_TOKEN_FILE)` : 'NODEOPS_TOKEN';
  // a Secret made from a file ends with a line break, and so does the variable it is put into
  const token = text!.trim();
  if (token === '') throw new TypeError(`${name} is empty`);
  checkToken(name, token);
  return token;
}

function home(): string {
  try {
    return homedir();
  } catch {
    // a uid without an entry and without HOME: a relative directory would follow the app's chdir
    return '/nonexistent';
  }
}
