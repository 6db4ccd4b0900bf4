// Preloaded into the processes of a pod that has no network namespace: its 127.0.0.1 is the pod's own loopback address.
const net = require('node:net');

const own = process.env.NODEOPS_CLUSTER_LOOPBACK;
const isLoopback = (host) => host === '127.0.0.1' || host === 'localhost' || host === '::1';
const mapped = (host) => (isLoopback(host) ? own : host);

function mapArguments(args) {
  // (options), (port, host), or the normalized [[options, callback]] that node's own modules pass
  if (Array.isArray(args[0])) return [mapArguments(args[0]), ...args.slice(1)];
  const [first, second] = args;
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
