class Shape {
  area() {
    return 0;
  }
}
class Circle extends Shape {
  constructor(r) {
    super();
    this.r = r;
  }
  area() {
    let s = 0;
    for (let i = 0; i < 50; i++) s += Math.cos(this.r * i);
    return s;
  }
}
class Square extends Shape {
  constructor(a) {
    super();
    this.a = a;
  }
  area() {
    let s = 0;
    for (let i = 0; i < 25; i++) s += Math.sin(this.a * i);
    return s;
  }
}
const shapes = Array.from({ length: 2000 }, (_, i) => (i % 2 ? new Circle(i) : new Square(i)));
function total() {
  let s = 0;
  for (const shape of shapes) s += shape.area();
  return s;
}
setInterval(() => {
  for (let i = 0; i < 8; i++) total();
}, 40);
