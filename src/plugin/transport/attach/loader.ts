/**
 * What is typed into a container: its own Node with a few lines of program, which read the payload from stdin and leave the
 * rest of stdin to it. Written for Node 18 and newer.
 */
import { attachMarker, type Greeting, greetingStart } from '../../../protocol/attach.ts';
import { NodeopsError } from '../../../protocol/errors.ts';

/**
 * NODE_OPTIONS of the container cannot be unset over exec. Flags that come after it undo what would open a port or write
 * files; what it preloads has run by the time this runs, so that the program starts itself anew without it.
 * The memory figures are those that the kernel kills by.
 */
const program = `
const fs = require('fs'), p = process, e = p.env;
if (e.NODE_OPTIONS || e.NODE_V8_COVERAGE) {
  delete e.NODE_OPTIONS; delete e.NODE_V8_COVERAGE;
  const a = p.execArgv.concat(p.argv.slice(1));
  if (p.execve) p.execve(p.execPath, [p.execPath].concat(a), e);
  else require('child_process').spawn(p.execPath, a, { stdio: 'inherit' }).on('exit', (c) => p.exit(c === null ? 1 : c));
} else {
  const read = (f) => { try { return fs.readFileSync('/sys/fs/cgroup/' + f, 'utf8'); } catch { return ''; } };
  const number = (t) => /^\\d{1,15}$/.test(t.trim()) ? Number(t) : null;
  const v1 = read('memory.max') === '' ? 'memory/' : '';
  const limit = number(read(v1 ? 'memory/memory.limit_in_bytes' : 'memory.max'));
  const used = number(read(v1 ? 'memory/memory.usage_in_bytes' : 'memory.current'));
  const cache = Number((/^(?:total_)?inactive_file (\\d+)/m.exec(read(v1 + 'memory.stat')) || [0, 0])[1]);
  fs.writeSync(1, '\\n${greetingStart}' + JSON.stringify({ version: p.version, pid: p.pid, uid: p.getuid ? p.getuid() : null,
    limitBytes: limit, usedBytes: used === null ? null : used - cache }) + '\\n');
  let length;
  const i = p.stdin, gone = () => p.exit(0);
  i.on('end', gone).on('readable', function take() {
    if (length === undefined) { const h = i.read(4); if (!h) return; length = h.readUInt32BE(0); }
    const text = i.read(length);
    if (!text) return;
    i.off('readable', take).off('end', gone);
    const file = '/${attachMarker}', Module = require('module');
    new Module(file)._compile(text.toString(), file);
  });
}`;

/** Undoes what NODE_OPTIONS may ask for; known to every Node since 18. */
const flags = [
  '--input-type=commonjs',
  '--no-warnings',
  '--no-inspect',
  '--no-inspect-brk',
  '--no-cpu-prof',
  '--no-heap-prof',
];

/** argv after the Node executable. `container` is how the process is called there, `pid` the only process to answer for. */
export function loaderArguments(container: string | null, pid: number | null = null): string[] {
  const rest = [container ?? '', ...(pid === null ? [] : [String(pid)])];
  return [...flags, '-e', program.replaceAll(/\n\s*/g, ' ').trim(), attachMarker, ...rest];
}

/** What is sent after the greeting. */
export function encodePayload(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** What preloaded modules may print before the greeting. */
const junkBytes = 64 * 1024;

/**
 * Takes the bytes that come; undefined until the greeting is whole, then it and what came after it.
 * Throws `failed` when it does not come.
 */
export function greetingReader(): (chunk: Buffer) => { greeting: Greeting; rest: Buffer } | undefined {
  let bytes: Buffer = Buffer.alloc(0);
  return (chunk) => {
    bytes = Buffer.concat([bytes, chunk]);
    const start = bytes.indexOf(`\n${greetingStart}`);
    const end = start < 0 ? -1 : bytes.indexOf(10, start + 1);
    if (end >= 0) {
      const text = bytes.toString('utf8', start + 1 + greetingStart.length, end);
      return { greeting: JSON.parse(text) as Greeting, rest: bytes.subarray(end + 1) };
    }
    if (bytes.length > junkBytes)
      throw new NodeopsError('failed', `Node.js printed more than ${junkBytes} bytes there before the helper began`, {
        detail: { printed: bytes.toString('latin1', 0, 200) },
      });
    return undefined;
  };
}
