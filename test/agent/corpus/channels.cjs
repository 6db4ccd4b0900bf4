const channel = require('node:diagnostics_channel');
for (const name of ['net.server.socket', 'net.client.socket', 'worker_threads', 'http.server.request.start', 'child_process'])
  channel.subscribe(name, () => console.log('seen', name));
setTimeout(() => console.log('quiet'), 60);
