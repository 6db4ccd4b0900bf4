// flags: --max-old-space-size=24
const kept = [];
for (let i = 0; i < 1e5; i++) kept.push({ i });
console.log(kept.length);
