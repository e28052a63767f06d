/** A page of 50 messages opened and verified in Chromium, cold: the epoch log, the wraps and the identities first. */
import { createServer } from 'node:http';
import { join } from 'node:path';
import { build, type Rolldown } from 'vite';
import type { Browser } from 'playwright-core';
import { type Figure, median, round } from '../stats.ts';

const ROUNDS = 25;
/** The engine has to have seen the code once, as it has in a page that is in use. */
const WARM_UP = 3;

export async function measureOpening(browser: Browser): Promise<Figure> {
  const { output } = (await build({
    configFile: false,
    logLevel: 'error',
    root: import.meta.dirname,
    build: {
      write: false,
      target: 'es2022',
      modulePreload: false,
      rolldownOptions: { input: join(import.meta.dirname, 'page.ts'), output: { format: 'es' } },
    },
  })) as Rolldown.RolldownOutput;
  const files = new Map(output.map((one) => [`/${one.fileName}`, one.type === 'chunk' ? one.code : one.source]));
  const entry = output.find((one) => one.type === 'chunk' && one.isEntry)?.fileName;
  const server = createServer(({ url = '/' }, response) => {
    const file = files.get(url);
    response.setHeader('Content-Type', file === undefined ? 'text/html' : 'text/javascript');
    response.end(file ?? `<!doctype html><script type="module" src="/${entry}"></script>`);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  try {
    const address = server.address();
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/`);
    await page.waitForFunction(() => 'measure' in globalThis);
    const took = await page.evaluate(
      (rounds) => (globalThis as unknown as { measure(rounds: number): Promise<number[]> }).measure(rounds),
      ROUNDS + WARM_UP,
    );
    await page.close();
    const rounds = took.slice(WARM_UP);
    return {
      name: 'page of 50 messages opened and verified, cold, Chromium',
      value: round(median(rounds), 1),
      unit: 'ms',
      limit: 40,
      parts: { veryFirst: round(took[0] ?? 0, 1), worst: round(Math.max(...rounds), 1) },
    };
  } finally {
    server.close();
  }
}
