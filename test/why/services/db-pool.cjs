// A connection pool whose clients are not given back where a query fails.
const http = require('node:http');
class Client {
  async query(text) {
    await new Promise((done) => setTimeout(done, 5));
    if (text.includes('bad')) throw new Error('syntax error');
    return [{ id: 1 }];
  }
}
class Pool {
  constructor({ max }) {
    this.options = { max };
    this._clients = [];
    this._idle = [];
    this._pendingQueue = [];
  }
  get totalCount() {
    return this._clients.length;
  }
  get idleCount() {
    return this._idle.length;
  }
  get waitingCount() {
    return this._pendingQueue.length;
  }
  async connect() {
    if (this._idle.length > 0) return this._idle.pop();
    if (this._clients.length < this.options.max) {
      const client = new Client();
      this._clients.push(client);
      return client;
    }
    return new Promise((resolve) => this._pendingQueue.push(resolve));
  }
  release(client) {
    const next = this._pendingQueue.shift();
    if (next) next(client);
    else this._idle.push(client);
  }
}
const pool = new Pool({ max: 10 });
async function loadOrders(text) {
  const client = await pool.connect();
  const rows = await client.query(text);
  pool.release(client);
  return rows;
}
let count = 0;
const server = http
  .createServer((request, response) => {
    loadOrders(++count % 5 === 0 ? 'bad' : 'select').then(
      (rows) => response.end(JSON.stringify(rows)),
      (error) => response.writeHead(500).end(error.message),
    );
  })
  .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
