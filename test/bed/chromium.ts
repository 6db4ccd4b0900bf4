/** A real Chromium without a display, which comes inside an npm package: no machine has to have one installed. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';

const { resolve: resolveModule } = createRequire(import.meta.url);
const cache = resolve('node_modules/.cache/nodeops');

/** A bare machine has no fonts, and without any a page has no text; the package's own are looked for where its cloud has them. */
const fonts = `<?xml version="1.0"?>
<fontconfig><dir prefix="relative">fonts</dir><cachedir prefix="xdg">fonts</cachedir></fontconfig>
`;

/** The one that NODEOPS_CHROMIUM names, else the package's. */
export async function launchBrowser(): Promise<Browser> {
  const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];
  const own = process.env.NODEOPS_CHROMIUM;
  if (own) return chromium.launch({ executablePath: own, headless: true, args });
  const directory = await unpacked();
  const env = {
    ...process.env,
    LD_LIBRARY_PATH: join(directory, 'al2023/lib'),
    FONTCONFIG_PATH: join(directory, 'fonts'),
    XDG_CACHE_HOME: directory,
  };
  return chromium.launch({ executablePath: join(directory, 'chromium'), headless: true, args, env });
}

/** The package's content, unpacked the first time; it stays for later runs. */
async function unpacked(): Promise<string> {
  const entry = resolveModule('@sparticuz/chromium');
  const { version } = createRequire(import.meta.url)(join(dirname(entry), '../package.json'));
  const directory = join(cache, `chromium-${version}`);
  if (existsSync(directory)) return directory;
  mkdirSync(cache, { recursive: true });
  const unfinished = mkdtempSync(`${directory}-`);
  const script = `import('@sparticuz/chromium').then(({ default: chromium }) => chromium.executablePath())`;
  // it unpacks to the temporary directory, and the libraries that a bare system lacks only where it takes itself to be in their cloud
  const env = { ...process.env, NODE_OPTIONS: '', TMPDIR: unfinished, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x' };
  try {
    await promisify(execFile)(process.execPath, ['-e', script], { env });
    writeFileSync(join(unfinished, 'fonts/fonts.conf'), fonts);
    renameSync(unfinished, directory);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    // another test file was first
    if (!existsSync(directory)) throw error;
  }
  return directory;
}
