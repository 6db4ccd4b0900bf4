/** The image's program beside the sidecar: `serve` is the webhook, `install DIRECTORY` the init container, `check` is `helm test`. */
import { parseArgs } from 'node:util';
import { check } from './check.ts';
import { install } from './install.ts';
import { startWebhook } from './server.ts';
import { readSettings } from './settings.ts';

const usage = `usage: inject serve [--settings FILE] [--certificates DIRECTORY] [--port N] [--health-port N]
       inject install DIRECTORY
       inject check
`;

async function main([command, ...rest]: readonly string[]): Promise<number> {
  if (command === 'install' && rest.length === 1) {
    await install(rest[0]!);
    return 0;
  }
  if (command === 'check' && rest.length === 0) {
    process.stdout.write(`${await check(process.env)}\n`);
    return 0;
  }
  const flags = command === 'serve' ? parseFlags(rest) : undefined;
  if (!flags) {
    process.stderr.write(usage);
    return 2;
  }
  await serve(flags);
  return 0;
}

interface Flags {
  settings: string;
  certificates: string;
  port: number;
  healthPort: number;
}

function parseFlags(args: readonly string[]): Flags | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        settings: { type: 'string', default: '/etc/nodeops/settings.json' },
        certificates: { type: 'string', default: '/etc/nodeops-tls' },
        port: { type: 'string', default: '8443' },
        'health-port': { type: 'string', default: '8080' },
      },
    });
    const [port, healthPort] = [Number(values.port), Number(values['health-port'])];
    if (!Number.isInteger(port) || !Number.isInteger(healthPort)) return undefined;
    return { settings: values.settings, certificates: values.certificates, port, healthPort };
  } catch {
    return undefined;
  }
}

/** Serves until SIGTERM or SIGINT. */
async function serve(flags: Flags): Promise<void> {
  const log = (line: string) => process.stderr.write(`${new Date().toISOString()} ${line}\n`);
  const webhook = await startWebhook({
    settings: await readSettings(flags.settings),
    certificateFolder: flags.certificates,
    port: flags.port,
    healthPort: flags.healthPort,
    log,
  });
  log(`reviews on ${webhook.port}, health and metrics on ${webhook.healthPort}`);
  const signal = await new Promise<string>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT']) process.once(name, () => resolve(name));
  });
  log(`${signal}: stopping`);
  await webhook.stop();
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    process.stderr.write(`inject: ${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  },
);
