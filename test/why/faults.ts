/** The services of ./services that have a fault, what is asked of them, and which findings name it. */
import type { Load, ServiceOptions } from './service.ts';

export interface Fault {
  readonly service: string;
  /** Ids of findings that are right as the first; more than one where both say the same of it. */
  readonly right: readonly string[];
  /** What the sentence or place of the finding must name. */
  readonly names: RegExp;
  readonly loads: readonly Load[];
  /** From the first request until somebody asks. */
  readonly warmMs: number;
  readonly options?: Omit<ServiceOptions, 'major'>;
}

const often = (path: string, everyMs: number, more: Partial<Load> = {}): Load => ({ path, everyMs, ...more });

export const faults: readonly Fault[] = [
  {
    service: 'sync-crypto',
    right: ['sync-crypto'],
    names: /scryptSync.*verifyPassword/,
    loads: [often('/login', 400)],
    warmMs: 4000,
  },
  {
    service: 'regex',
    right: ['regex'],
    names: /validateName/,
    loads: [often('/?name=an+example+input+that+is+a+bit+longer+yet%21%21', 900)],
    warmMs: 4000,
  },
  { service: 'json', right: ['json'], names: /repriced/, loads: [often('/', 500)], warmMs: 4000 },
  {
    service: 'zlib',
    right: ['sync-zlib'],
    names: /(?:gzip|zlibBuffer)Sync.*exportReport/,
    loads: [often('/', 600)],
    warmMs: 4000,
  },
  { service: 'sync-fs', right: ['sync-fs'], names: /load/, loads: [often('/', 500)], warmMs: 4000 },
  {
    service: 'sync-child',
    right: ['sync-child'],
    names: /execFileSync.*convertImage/,
    loads: [often('/', 1200)],
    warmMs: 4000,
  },
  {
    service: 'sync-child-long',
    right: ['sync-child'],
    names: /sleep 600/,
    loads: [often('/', 200), often('/migrate', 1500, { count: 1 })],
    warmMs: 4000,
  },
  {
    service: 'hot-function',
    right: ['hot-function'],
    names: /nearestPairs|distance/,
    loads: [often('/', 250)],
    warmMs: 4000,
  },
  { service: 'periodic', right: ['periodic-stall'], names: /rebuildIndex/, loads: [often('/', 40)], warmMs: 14_000 },
  { service: 'intl', right: ['recompile'], names: /money/, loads: [often('/', 450)], warmMs: 4000 },
  { service: 'compile', right: ['recompile'], names: /compileTemplate/, loads: [often('/', 600)], warmMs: 4000 },
  { service: 'exceptions', right: ['exceptions'], names: /lookup|tryLookup/i, loads: [often('/', 400)], warmMs: 4000 },
  { service: 'logging', right: ['logging'], names: /audit/, loads: [often('/', 500)], warmMs: 4000 },
  { service: 'worker-spins', right: ['worker-busy'], names: /pollQueue/, loads: [often('/', 100)], warmMs: 4000 },
  {
    service: 'gc-thrash',
    right: ['gc-pressure'],
    names: /limit/,
    loads: [often('/', 15)],
    warmMs: 6000,
    options: { flags: ['--max-old-space-size=96'] },
  },
  {
    service: 'heap-leak',
    right: ['heap-growth'],
    names: /createSession|heap-leak/,
    loads: [often('/', 10)],
    warmMs: 12_000,
  },
  {
    service: 'listener-leak',
    right: ['heap-growth'],
    names: /subscribe|listener-leak/,
    loads: [often('/', 10)],
    warmMs: 12_000,
  },
  {
    service: 'promise-leak',
    right: ['heap-growth'],
    names: /waitForReply|promise-leak/,
    loads: [often('/', 10)],
    warmMs: 12_000,
  },
  { service: 'timer-leak', right: ['handles-growth'], names: /[Tt]im/, loads: [often('/', 15)], warmMs: 6000 },
  {
    service: 'buffer-leak',
    right: ['buffer-growth'],
    names: /storeUpload|buffer-leak/,
    loads: [often('/', 20)],
    warmMs: 10_000,
  },
  { service: 'native-leak', right: ['native-growth'], names: /./, loads: [often('/', 40)], warmMs: 10_000 },
  { service: 'socket-leak', right: ['handles-growth'], names: /socket|TCP/, loads: [often('/', 50)], warmMs: 6000 },
  { service: 'close-wait', right: ['close-wait'], names: /CLOSE_WAIT/, loads: [often('/', 60)], warmMs: 5000 },
  {
    service: 'pool-full',
    right: ['uv-pool'],
    names: /pbkdf2|hashToken|pool/,
    loads: [often('/hash', 300, { open: 40 }), often('/', 200)],
    warmMs: 4000,
  },
  { service: 'agent-full', right: ['outbound-pool'], names: /2/, loads: [often('/', 150)], warmMs: 5000 },
  { service: 'db-pool', right: ['connection-pool'], names: /Pool/, loads: [often('/', 30)], warmMs: 5000 },
  { service: 'upstream-hangs', right: ['outbound-stuck'], names: /profiles/, loads: [often('/', 100)], warmMs: 6000 },
  {
    service: 'lost-promise',
    right: ['requests-stuck'],
    names: /GET/,
    loads: [often('/work', 150), often('/health', 300)],
    warmMs: 6000,
  },
  {
    service: 'descriptors',
    right: ['descriptors'],
    names: /256|run out/,
    loads: [often('/', 40)],
    warmMs: 11_000,
    options: { within: ['sh', '-c', 'ulimit -n 256; exec "$@"', 'sh'] },
  },
  {
    service: 'unread',
    right: ['outbound-stuck'],
    names: /not read.*GET \/status/,
    loads: [often('/', 60)],
    warmMs: 8000,
  },
  { service: 'name-server', right: ['dns'], names: /name server 127/, loads: [often('/', 150)], warmMs: 6000 },
  { service: 'children', right: ['children'], names: /sleep/, loads: [often('/', 250)], warmMs: 5000 },
];

/** Services that are busy and well: nothing above a note may be said of them. */
export const healthy: readonly (Pick<Fault, 'service' | 'loads' | 'warmMs' | 'options'> & { readonly what: string })[] =
  [
    { service: 'healthy-server', what: 'a server at 70 % of a core', loads: [often('/', 7)], warmMs: 8000 },
    { service: 'healthy-batch', what: 'a batch job', loads: [], warmMs: 6000 },
    { service: 'healthy-cluster', what: 'a cluster', loads: [often('/', 10)], warmMs: 6000 },
    { service: 'healthy-bundle', what: 'a server-side renderer', loads: [often('/', 15)], warmMs: 8000 },
    { service: 'healthy-memory', what: 'a full cache', loads: [often('/', 10)], warmMs: 8000 },
    { service: 'healthy-sockets', what: '2,000 kept connections', loads: [], warmMs: 12_000 },
  ];
