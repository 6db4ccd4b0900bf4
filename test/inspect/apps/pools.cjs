// Objects with the names that packages give to a pool's figures, where apps keep them; and some that only look alike.
const http = require('node:http');
const full = (count) => Array.from({ length: count }, () => () => {});
/** As pg-pool. */
class Pool {
  constructor() {
    this.options = { max: 10, host: 'db' };
    this._clients = full(10);
    this._idle = [];
    this._pendingQueue = full(7);
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
}
/** As mysql2's, with lists that have a length and are no arrays. */
class MysqlPool {
  constructor() {
    this.config = { connectionLimit: 4 };
    this._allConnections = { length: 4 };
    this._freeConnections = { length: 1 };
    this._connectionQueue = { length: 0 };
  }
}
/** As tarn of knex. */
class Tarn {
  max = 3;
  numUsed() {
    return 3;
  }
  numFree() {
    return 0;
  }
  numPendingAcquires() {
    return 5;
  }
}
/** As generic-pool. */
class GenericPool {
  max = 2;
  borrowed = 2;
  available = 0;
  pending = 9;
  get size() {
    throw new Error('nobody asked for it');
  }
}
class NoPool {
  queue = full(3);
  max = 5;
}
exports.db = { client: { pool: new Tarn() } };
const orders = new Pool();
const models = { read: new MysqlPool(), nothing: new NoPool() };
function repository() {
  const generic = new GenericPool();
  return { find: () => generic.borrowed };
}
const things = repository();
const handlers = [() => orders.totalCount, () => models.read, things.find];
const server = http.createServer((_request, response) => response.end(String(handlers.map((each) => each()))));
server.listen(0, '127.0.0.1', () => console.log('up'));
