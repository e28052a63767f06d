/** The server as plain JavaScript in dist/server; packages stay in node_modules, migrations in drizzle/. */
import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: {
    main: 'src/server/main.ts',
    worker: 'src/server/worker.ts',
    migrate: 'src/server/db/migrate-cli.ts',
    'account-code': 'src/server/account-code-cli.ts',
  },
  outDir: 'dist/server',
  format: 'esm',
  outExtensions: () => ({ js: '.js' }),
  platform: 'node',
  target: 'node20',
  dts: false,
  sourcemap: true,
  clean: true,
  logLevel: 'warn',
});
