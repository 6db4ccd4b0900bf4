// As a TypeScript loader does: what runs for a .ts file is compiled in memory, its source map inline in what runs.
const { readFileSync } = require('node:fs');
const [, , original, compiled] = process.argv;
require.extensions['.ts'] = (module, file) => module._compile(readFileSync(compiled, 'utf8'), file);
require(original);
