class Engine {
  #r(n) {
    let x = 0;
    for (let i = 0; i < 2000; i++) x += Math.sqrt(n + i);
    return x;
  }
  price(n) {
    let s = 0;
    for (let k = 0; k < turns; k++) {
      s += this.#r(n);
    }
    return s;
  }
}
const turns = Number(process.env.TURNS ?? Infinity);
setTimeout(() => new Engine().price(3), 300);
