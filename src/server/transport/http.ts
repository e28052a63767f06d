/** Everything over HTTP: calls, health, metrics and the web app, under one strict set of headers. */
import { join } from 'node:path';
import type { HttpBindings } from '@hono/node-server';
import type { AnyTRPCRouter } from '@trpc/server';
import { fetchRequestHandler } from '@trpc/server/adapters/fetch';
import { type Context as HonoContext, Hono } from 'hono';
import { secureHeaders } from 'hono/secure-headers';
import { LIMITS } from '#protocol/limits';
import { authenticate, type Context } from '../context.ts';
import type { Deps } from '../deps.ts';
import { packageRoot } from '../package-root.ts';
import { clientAddress } from './address.ts';
import { bearerOf } from './bearer.ts';
import { limitBody } from './body-limit.ts';
import { refreshCookie } from './cookies.ts';
import { isCrossSite } from './origin.ts';
import { importMapSource, servePages } from './pages.ts';
import { reportCallError } from './report.ts';
import type { ServerState } from './state.ts';

type Bound = { Bindings: HttpBindings };

/** No inline script but the import map, no foreign origin (P28). Argon2 is WebAssembly, hence 'wasm-unsafe-eval'. */
function contentSecurityPolicy(publicUrl: string, importMap: string[]) {
  return {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'", "'wasm-unsafe-eval'", ...importMap],
    workerSrc: ["'self'"],
    // Older Safari does not count ws: as 'self'.
    connectSrc: ["'self'", publicUrl.replace(/^http/, 'ws')],
    styleSrc: ["'self'"],
    imgSrc: ["'self'", 'blob:', 'data:'],
    mediaSrc: ["'self'", 'blob:'],
    // PDFs, in the browser's own viewer.
    frameSrc: ['blob:'],
    fontSrc: ["'self'"],
    manifestSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
  };
}

async function httpContext(deps: Deps, c: HonoContext<Bound>, response: Headers): Promise<Context> {
  const { headers } = c.req.raw;
  return {
    deps,
    ...(await authenticate(deps, bearerOf(headers.get('authorization')))),
    address: clientAddress(c.env.incoming.socket.remoteAddress, headers.get('x-forwarded-for'), deps.env.trustProxy),
    userAgent: headers.get('user-agent'),
    cookies: refreshCookie(headers, response, deps.env.publicUrl),
    crossSite: isCrossSite(headers, deps.env.publicUrl),
    connection: null,
    answerHead: null,
    signal: c.req.raw.signal,
  };
}

export function createHttp(deps: Deps, router: AnyTRPCRouter, state: ServerState): Hono<Bound> {
  const { env, log, metrics, sql } = deps;
  const app = new Hono<Bound>();
  const web = join(packageRoot, 'dist', 'web');
  const secure = env.publicUrl.startsWith('https:');
  app.use(
    secureHeaders({
      contentSecurityPolicy: contentSecurityPolicy(env.publicUrl, importMapSource(web)),
      strictTransportSecurity: secure ? 'max-age=31536000' : false,
      crossOriginOpenerPolicy: 'same-origin',
      crossOriginResourcePolicy: 'same-origin',
      referrerPolicy: 'no-referrer',
      xFrameOptions: 'DENY',
    }),
  );
  app.use(async (c, next) => {
    await next();
    // Keep-alive connections would hold a stopping server open.
    if (state.draining) c.header('Connection', 'close');
  });

  app.get('/healthz', (c) => c.text('ok'));
  const isReady = readiness(sql, () => state.draining);
  app.get('/readyz', async (c) => ((await isReady()) ? c.text('ready') : c.text('not ready', 503)));
  app.get('/metrics', async (c) =>
    c.text(await metrics.scrape(), 200, { 'Content-Type': metrics.registry.contentType }),
  );

  const calls = (c: HonoContext<Bound>) =>
    fetchRequestHandler({
      endpoint: '/trpc',
      req: c.req.raw,
      router,
      maxBatchSize: LIMITS.batch,
      // A query with 500 ids makes a long address; programs may send it as POST.
      allowMethodOverride: true,
      createContext: ({ resHeaders }) => httpContext(deps, c, resHeaders),
      responseMeta: () => ({ headers: new Headers({ 'cache-control': 'no-store' }) }),
      onError: ({ error, path }) => reportCallError(log, { error, path }),
    });
  app.all('/trpc', calls);
  app.all('/trpc/*', limitBody('/trpc/'), calls);

  servePages(app as unknown as Hono, web);
  app.notFound((c) => c.text('not found', 404));
  app.onError((error, c) => {
    log.error({ err: error }, 'request failed');
    return c.text('internal error', 500);
  });
  return app;
}

/** Asks the database at most twice a second, however often the load balancer asks us. */
function readiness(sql: Deps['sql'], isDraining: () => boolean): () => Promise<boolean> {
  let asked = 0;
  let answer = Promise.resolve(false);
  const ask = async () => {
    const late = new Promise<false>((done) => setTimeout(done, 2_000, false).unref());
    const reached = sql`select 1`.then(
      () => true,
      () => false,
    );
    return Promise.race([reached, late]);
  };
  return async () => {
    if (isDraining()) return false;
    if (Date.now() - asked > 500) {
      asked = Date.now();
      answer = ask();
    }
    return answer;
  };
}
