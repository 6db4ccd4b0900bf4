const { EventEmitter } = require('node:events');
const bus = new EventEmitter();
let _seen = 0;
bus.on('tick', function audit(v) {
  let s = v;
  for (let k = 0; k < 400; k++) s = (s * 31 + k) % 9973;
  _seen += s;
});
bus.on('tick', (v) => {
  let s = v;
  for (let k = 0; k < 200; k++) s = Math.cos(s + k);
  _seen += s;
});
function publish(n) {
  for (let i = 0; i < n; i++) bus.emit('tick', i);
}
setInterval(() => publish(4000), 25);
