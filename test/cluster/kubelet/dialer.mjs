// Runs inside a pod's network namespace. Connects on request and passes the connected socket to the cluster's process, so that
// a forwarded connection costs a connect, not a process, and its bytes are not copied on the way.
import { connect } from 'node:net';

function dial(host, port) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    // nothing may be read here: the bytes belong to whoever gets the socket
    socket.pause();
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
  });
}

process.on('message', async ({ id, port, host }) => {
  try {
    const addresses = host === 'localhost' ? ['127.0.0.1', '::1'] : [host];
    let failure;
    for (const address of addresses) {
      try {
        const socket = await dial(address, port);
        process.send({ id }, socket, { keepOpen: false });
        return;
      } catch (error) {
        failure ??= error;
      }
    }
    throw failure;
  } catch (error) {
    process.send({ id, error: error.code ?? 'ECONNRESET' });
  }
});
process.on('disconnect', () => process.exit());
process.send({ ready: true });
