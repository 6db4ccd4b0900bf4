// flags: --permission --allow-fs-read=$DIR/*
// versions: 24 26
console.log(process.permission.has('fs.read', __filename), process.permission.has('worker'));
try { require('node:fs').readFileSync('/etc/hostname'); } catch (error) { console.log(error.code); }
