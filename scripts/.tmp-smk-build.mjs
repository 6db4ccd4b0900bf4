import { build } from 'esbuild';
import { bundledText, shared, bundleAgent } from '/work/main/scripts/agent-bundle.ts';
import { packedFolder } from '/work/main/scripts/packed-folder.ts';
import { readFile, readdir } from 'node:fs/promises';
const wanted = process.argv.slice(2);
// for own runs: the commands of this task beside the registered ones
const add = { name: 'add', setup({ onLoad }) { onLoad({ filter: /plugin\/commands\/index\.ts$/ }, async ({ path }) => {
  let text = await readFile(path, 'utf8');
  for (const name of wanted) if (!new RegExp(`/${name}\\.ts'`).test(text)) text = `import { ${name} } from './${name}.ts';\n` + text.replace("readingCommand('stats'", `${name},\n  readingCommand('stats'`);
  return { contents: text, loader: 'ts' };
}); } };
await build({ ...shared, target: 'node22', format: 'cjs', entryPoints: ['cmd/kubectl-nodeops/main.ts'], outfile: '/tmp/smk/plugin.cjs', plugins: [bundledText(), packedFolder, add] });
await bundleAgent('/tmp/smk/agent');
