/** The web app: built into dist/web, with compressed copies beside the files so that the server never compresses by itself. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { build, defineConfig, type Plugin } from 'vite';

const ROOT = join(import.meta.dirname, 'web');
const OUT = join(import.meta.dirname, 'dist', 'web');
const WORTH_COMPRESSING = /\.(?:js|css|html|json|svg|wasm|webmanifest)$/;

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

function precompress(): Plugin {
  return {
    name: 'precompress',
    apply: 'build',
    closeBundle() {
      for (const entry of readdirSync(OUT, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !WORTH_COMPRESSING.test(entry.name)) continue;
        const file = join(entry.parentPath, entry.name);
        const bytes = readFileSync(file);
        if (bytes.length < 1024) continue;
        writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
        // Quality 11 takes ten times as long for two per cent.
        writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }));
      }
    },
  };
}

export default defineConfig({
  root: ROOT,
  plugins: [react(), tailwindcss(), serviceWorker(), precompress()],
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
