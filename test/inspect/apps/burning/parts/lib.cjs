exports.price = (i) => {
  let s = i;
  for (let k = 0; k < 30; k++) s = Math.sqrt(s + k * i);
  return s;
};
exports.discount = function discount(i) {
  let s = i;
  for (let k = 0; k < 12; k++) s = Math.log(s + k + 1) * 3;
  return s;
};
