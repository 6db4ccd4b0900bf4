const keep = process;
globalThis.process = undefined;
setTimeout(() => keep.stdout.write('later\n'), 30);
