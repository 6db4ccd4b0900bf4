import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const installed = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** A real Chromium without a display: the one that NODEOPS_CHROMIUM names, else the system's. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = process.env.NODEOPS_CHROMIUM ?? installed.find(existsSync);
  if (!executablePath) throw new Error('no Chromium is installed: apt-get install chromium, or set NODEOPS_CHROMIUM');
  return chromium.launch({
    executablePath,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
