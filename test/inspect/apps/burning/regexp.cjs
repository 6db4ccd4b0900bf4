const line = 'GET /orders/12345?user=alice&page=3 HTTP/1.1 200 1234 0.123'.repeat(6);
function match(s) {
  let n = 0;
  for (const m of s.matchAll(/\/(\w+)\/(\d+)\?user=(\w+)/g)) n += m[2].length;
  return n;
}
function words(s) {
  let n = 0;
  for (let i = 0; i < s.length; i++) {
    const c = s.charCodeAt(i);
    if (c === 32 || c === 47) n++;
  }
  return n;
}
setInterval(() => {
  for (let i = 0; i < 800; i++) {
    match(line);
    for (let j = 0; j < 25; j++) words(line);
  }
}, 30);
