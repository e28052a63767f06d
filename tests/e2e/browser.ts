/** One Chromium for a test file; every person gets a context of their own, which is a browser with nothing in it. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const WIDE = { width: 1280, height: 800 };

/** @throws Error with what to install */
function findChromium(): string {
  const given = process.env.CHROMIUM_PATH;
  if (given) return given;
  for (const place of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of NAMES) {
      try {
        accessSync(join(place, name), constants.X_OK);
        return join(place, name);
      } catch {}
    }
  }
  throw new Error('Chromium is missing. Install it: apt-get install -y chromium fonts-noto-color-emoji');
}

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: findChromium(),
    args: [
      '--headless',
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

/** A fresh browser's page. What it complains about, the policy's refusals above all, is kept in `complaints`. */
export async function newPage(browser: Browser, url: string, options: BrowserContextOptions = {}) {
  const context = await browser.newContext({ viewport: WIDE, locale: 'en-GB', baseURL: url, ...options });
  const page: Page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // A server that is down, or that says no, is what some tests are about.
    const network = /net::ERR_|WebSocket connection to|status of (?:401|409|502|503)/.test(message.text());
    if (message.type() === 'error' && !network) complaints.push(message.text());
  });
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== new URL(url).origin && protocol.startsWith('http')) complaints.push(`foreign: ${request.url()}`);
  });
  return { context, page, complaints };
}
