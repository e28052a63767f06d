/** One Chromium for a test file; every person gets a context of their own, which is a browser with nothing in it. */
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { launchOptions } from '../harness/chromium.ts';

const WIDE = { width: 1280, height: 800 };

export const launch = (): Promise<Browser> => chromium.launch(launchOptions());

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
