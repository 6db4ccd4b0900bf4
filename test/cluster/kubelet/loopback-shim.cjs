// Preloaded into the processes of a pod that has no network namespace: its 127.0.0.1 is the pod's own loopback address.
const net = require('node:net');
const threads = require('node:worker_threads');

const own = process.env.NODEOPS_CLUSTER_LOOPBACK;
const isLoopback = (host) => host === '127.0.0.1' || host === 'localhost' || host === '::1';
const mapped = (host) => (isLoopback(host) ? own : host);
// names of the abstract namespace, which goes with the network namespace, are the pod's too
const isAbstract = (path) => typeof path === 'string' && path.startsWith('\0');

function mapArguments(args) {
  // (options), (port, host), or the normalized [[options, callback]] that node's own modules pass
  if (Array.isArray(args[0])) return [mapArguments(args[0]), ...args.slice(1)];
  const [first, second] = args;
  if (isAbstract(first?.path)) return [{ ...first, path: first.path + own }, ...args.slice(1)];
  if (first && typeof first === 'object' && !first._handle && first.path === undefined && first.port !== undefined)
    return [{ ...first, host: mapped(first.host ?? 'localhost') }, ...args.slice(1)];
  if (typeof second === 'string') return [first, mapped(second), ...args.slice(2)];
  return args;
}

const { listen } = net.Server.prototype;
net.Server.prototype.listen = function (...args) {
  const [first, second] = args;
  const everywhere = typeof first === 'number' ? typeof second !== 'string' : first?.port !== undefined && !first.host;
  if (everywhere && typeof first === 'number') args.splice(1, 0, own);
  return listen.apply(this, mapArguments(args));
};
const { connect } = net.Socket.prototype;
net.Socket.prototype.connect = function (...args) {
  return connect.apply(this, mapArguments(args));
};
// what the agent listens with
const { _createServerHandle } = net;
net._createServerHandle = (address, port, type, ...rest) =>
  _createServerHandle(isAbstract(address) ? address + own : mapped(address), port, type, ...rest);
// a worker with options and variables of its own would be without this
const { Worker } = threads;
threads.Worker = class extends Worker {
  constructor(source, options = {}) {
    const { env, eval: isText } = options;
    if (!isText || typeof env !== 'object') super(source, options);
    else
      super(`require(${JSON.stringify(__filename)});${source}`, {
        ...options,
        env: { ...env, NODEOPS_CLUSTER_LOOPBACK: own },
      });
  }
};
