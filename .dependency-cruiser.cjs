/**
 * Who may import whom. The arrows of the architecture as rules; each says what to do instead.
 * The important one is `server-never-decrypts`: it makes "the server cannot read messages" something a machine checks.
 */
const rule = (name, comment, from, to) => ({ name, severity: 'error', comment, from, to });
/** Anything of ours outside these rooms. */
const ours = '^(src|web|tests|scripts)/';

module.exports = {
  forbidden: [
    rule(
      'lib-is-alone',
      'lib holds helpers that know nothing of us. Move what needs more into the room that needs it.',
      { path: '^src/lib/' },
      { path: ours, pathNot: '^src/lib/' },
    ),
    rule(
      'protocol-is-a-language',
      'protocol may import lib and zod only: it has to run everywhere and do nothing. Put behaviour into client or server.',
      { path: '^src/protocol/' },
      { path: ours, pathNot: '^src/(protocol|lib)/' },
    ),
    rule(
      'crypto-is-pure',
      'crypto may import lib only: bytes in, bytes out. Pass in what it needs from protocol or client.',
      { path: '^src/crypto/' },
      { path: ours, pathNot: '^src/(crypto|lib)/' },
    ),
    rule(
      'client-rooms',
      'The SDK may import lib, protocol and crypto. From the server it takes types of procedures only.',
      { path: '^src/client/' },
      { path: ours, pathNot: '^src/(client|lib|protocol|crypto)/|^src/server/router\\.ts$' },
    ),
    rule(
      'client-takes-types-of-the-server',
      'Use `import type { AppRouter }`: a value import would put the server into the browser.',
      { path: '^src/client/' },
      { path: '^src/server/', dependencyTypesNot: ['type-only'] },
    ),
    rule(
      'server-rooms',
      'The server may import lib, protocol and crypto/verify, never the client. Shared words belong into protocol.',
      { path: '^src/server/' },
      { path: ours, pathNot: '^src/(server|lib|protocol)/|^src/crypto/verify\\.ts$' },
    ),
    rule(
      'server-never-decrypts',
      'Nothing the server reaches may open, seal or derive. Keep keyless code behind crypto/verify.ts; these are all the files it may lead to.',
      { path: '^src/server/' },
      {
        path: '^src/crypto/',
        pathNot:
          '^src/crypto/(verify|apply-epoch|bytes|chunks|envelope|epoch|error|identity|padding|primitives[^/]*|signature|wire)\\.ts$',
        reachable: true,
      },
    ),
    rule(
      'web-knows-the-sdk',
      'The web app may import the doors of the SDK (client/index, select, types), types of protocol, and lib. What else it needs, the SDK should offer.',
      { path: '^web/', pathNot: '^web/service-worker/' },
      { path: ours, pathNot: '^web/|^src/client/(index|select|types)\\.ts$|^src/(protocol|lib)/' },
    ),
    rule(
      'service-worker-opens-pushes',
      'The service worker holds no chat: it may import client/push and what web/notifications and web/files share with the page.',
      { path: '^web/service-worker/' },
      {
        path: ours,
        pathNot:
          '^web/(service-worker|notifications)/|^web/files/(media-)?words\\.ts$|^src/client/push\\.ts$|^src/(protocol|lib)/',
      },
    ),
    rule(
      'pages-know-no-service-worker',
      'A page talks to the service worker by messages only: its keyring has no business on the main thread.',
      { path: '^web/', pathNot: '^web/service-worker/' },
      { path: '^web/service-worker/' },
    ),
    rule(
      'web-takes-types-of-the-protocol',
      'Use `import type` for protocol: schemas (zod) have no business in the first load.',
      { path: '^web/' },
      { path: '^src/protocol/', dependencyTypesNot: ['type-only'] },
    ),
    rule(
      'domain-knows-no-transport',
      'domain holds the rules and never sees tRPC, HTTP or sockets. Throw ParleyError; routers and trpc.ts translate.',
      { path: '^src/server/domain/' },
      {
        path: '@trpc/|node_modules/(hono|@hono|ws)/|^src/server/(routers|transport|trpc\\.ts|router\\.ts|app\\.ts|main\\.ts)',
      },
    ),
    rule(
      'db-knows-no-domain',
      'db holds tables and connections. A query that needs rules belongs into domain.',
      { path: '^src/server/db/' },
      { path: '^src/server/(domain|routers|transport|feed|auth)/' },
    ),
    rule(
      'routers-are-thin',
      'Routers parse, call the domain and return. Queries belong into domain.',
      { path: '^src/server/routers/' },
      { path: '^src/server/(transport|main\\.ts|app\\.ts)|node_modules/(hono|@hono|ws|postgres|drizzle-orm)/' },
    ),
    rule(
      'tests-are-not-imported',
      'Nobody imports tests. Move what is useful into lib.',
      { pathNot: '^tests/' },
      { path: '^tests/' },
    ),
    rule(
      'no-cycles',
      'Two files that need each other are one idea, or share a third file that both can import.',
      {},
      { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    ),
    rule(
      'no-unresolved',
      'This import leads nowhere: a typo, or a package that is missing from package.json.',
      {},
      { couldNotResolve: true, pathNot: '^(virtual:|\\.{1,2}/.*\\?)|^tailwindcss|\\.css$' },
    ),
    rule(
      'no-undeclared-packages',
      'The package is not among the dependencies of package.json: it is only there by chance.',
      { path: '^src/' },
      { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.json'],
    },
  },
};
