/** The web app's files: hashed ones for ever, the page itself fresh each time, every path of the app gets the page. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { serveStatic } from '@hono/node-server/serve-static';
import type { Hono } from 'hono';

const FOREVER = 'public, max-age=31536000, immutable';

const NOT_THE_APP = /^\/(?:files|trpc)(?:\/|$)|\.\w+$/;

/** Programs that say nothing, or take anything, get what a browser gets. */
const takesPages = (accept = '*/*') => accept.includes('text/html') || accept.includes('*/*');

/** The one inline script of the page is its import map, the integrity of every module: the policy allows exactly that text. */
export function importMapSource(root: string): string[] {
  const index = join(root, 'index.html');
  const map = existsSync(index)
    ? /<script type="importmap">([^<]*)<\/script>/.exec(readFileSync(index, 'utf8'))?.[1]
    : undefined;
  return map === undefined ? [] : [`'sha256-${createHash('sha256').update(map).digest('base64')}'`];
}

export function servePages(app: Hono, root: string): void {
  if (!existsSync(join(root, 'index.html'))) {
    app.get('*', (c) => c.text('The web app is not built. Run: npm run build', 404));
    return;
  }
  app.get(
    '*',
    serveStatic({
      root,
      precompressed: true,
      onFound: (path, c) => {
        c.header('Cache-Control', path.includes('/assets/') ? FOREVER : 'no-cache');
      },
    }),
  );
  const page = serveStatic({ root, path: 'index.html', precompressed: true });
  app.get('*', async (c, next) => {
    // A missing script or picture must not be answered with a page; paths of the app have no ending.
    if (!takesPages(c.req.header('accept')) || NOT_THE_APP.test(c.req.path)) return c.text('not found', 404);
    c.header('Cache-Control', 'no-cache');
    return page(c, next);
  });
}
