// flags: --permission --allow-fs-read=* --allow-worker
// versions: 24 26
console.log(process.permission.has('worker'));
setTimeout(() => { const since = Date.now(); while (Date.now() - since < 400); console.log('lived'); }, 100);
setTimeout(() => {}, 700);
