const N = 90;
const a = new Float64Array(N * N).map((_, i) => i % 7);
const b = new Float64Array(N * N).map((_, i) => i % 5);
const at = (m, i, j) => m[i * N + j];
function multiply() {
  const out = new Float64Array(N * N);
  for (let i = 0; i < N; i++)
    for (let j = 0; j < N; j++) {
      let s = 0;
      for (let k = 0; k < N; k++) s += at(a, i, k) * at(b, k, j);
      out[i * N + j] = s;
    }
  return out;
}
function norm(m) {
  let s = 0;
  for (let r = 0; r < 40; r++) for (let i = 0; i < m.length; i++) s += Math.abs(m[i]) ** 0.5;
  return s;
}
setInterval(() => norm(multiply()), 15);
