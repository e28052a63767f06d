/** The web app: built into dist/web; scripts/seal-web.mjs does the rest. */
import { join } from 'node:path';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { build, defineConfig, type Plugin } from 'vite';

const ROOT = join(import.meta.dirname, 'web');
const OUT = join(import.meta.dirname, 'dist', 'web');

/** One classic script at a fixed name: not every browser has service workers that are modules, and its address is what a browser knows it by. */
function serviceWorker(): Plugin {
  return {
    name: 'service-worker',
    apply: 'build',
    async closeBundle() {
      await build({
        configFile: false,
        root: ROOT,
        publicDir: false,
        logLevel: 'warn',
        build: {
          outDir: OUT,
          emptyOutDir: false,
          modulePreload: false,
          target: 'es2022',
          reportCompressedSize: false,
          rolldownOptions: {
            input: join(ROOT, 'service-worker', 'main.ts'),
            // A library asks Node for its cryptography where a browser has none: never here.
            transform: { define: { 'import.meta': '{}' } },
            output: { format: 'iife', entryFileNames: 'service-worker.js' },
          },
        },
      });
    },
  };
}

export default defineConfig({
  root: ROOT,
  plugins: [react(), tailwindcss(), serviceWorker()],
  // Module workers: the crypto worker shares chunks with nothing and may import.
  worker: { format: 'es' },
  build: {
    outDir: OUT,
    emptyOutDir: true,
    target: 'es2022',
    // A data: address would need a looser policy for fonts; files are cached for ever anyway.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    manifest: true,
  },
});
