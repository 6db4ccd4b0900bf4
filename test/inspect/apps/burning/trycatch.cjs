function validate(v) {
  if (v % 5 === 0) throw new RangeError(`bad ${v}`);
  let s = v;
  for (let k = 0; k < 150; k++) s = Math.sqrt(s + k);
  return s;
}
function attempt(v) {
  try {
    return validate(v);
  } catch {
    return recover(v);
  }
}
function recover(v) {
  let s = v;
  for (let k = 0; k < 700; k++) s = (s * 7 + k) % 1009;
  return s;
}
setInterval(() => {
  for (let i = 0; i < 6000; i++) attempt(i);
}, 30);
