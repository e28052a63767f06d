/**
 * Owns what is done to the built web app before it is served: every script and style gets its integrity (SRI) into the page,
 * chunks that are loaded later through an import map; the SHA-256 of every file goes into build.json; and compressed
 * copies lie beside the files, so that the server never compresses by itself.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const WORTH_COMPRESSING = /\.(?:js|css|html|json|svg|wasm|webmanifest)$/;
const hash = (algorithm, bytes, encoding) => createHash(algorithm).update(bytes).digest(encoding);

/** @param {string} dir of the built app  @returns {{build: string, files: Record<string, string>}} as build.json says it */
export function sealWeb(dir) {
  // Of use to the builder alone, and it names places of this machine.
  const manifest = join(dir, '.vite');
  const files = readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.startsWith(manifest))
    .sort();
  const address = (file) => relative(dir, file).split(sep).join('/');

  const integrity = {};
  for (const file of files) {
    if (/\.(?:js|css)$/.test(file))
      integrity[`/${address(file)}`] = `sha384-${hash('sha384', readFileSync(file), 'base64')}`;
  }
  const index = join(dir, 'index.html');
  writeFileSync(index, withIntegrity(readFileSync(index, 'utf8'), integrity));

  const hashes = Object.fromEntries(files.map((file) => [address(file), hash('sha256', readFileSync(file), 'hex')]));
  const build = hash('sha256', JSON.stringify(hashes), 'hex');
  const list = join(dir, 'build.json');
  rmSync(list, { force: true });
  writeFileSync(list, `${JSON.stringify({ build, files: hashes }, null, 2)}\n`);

  for (const file of [...files, list]) {
    const bytes = readFileSync(file);
    if (!WORTH_COMPRESSING.test(file) || bytes.length < 1024) continue;
    writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
    // Quality 11 takes ten times as long for two per cent.
    writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }));
  }
  return { build, files: hashes };
}

/** On every tag that names a file, and in an import map for all modules that come by `import` later. */
function withIntegrity(page, integrity) {
  const tagged = page.replace(/<(?:script|link)\b[^>]*\b(?:src|href)="([^"]+)"[^>]*>/g, (tag, file) =>
    file in integrity ? tag.replace(/\b(src|href)="/, `integrity="${integrity[file]}" $1="`) : tag,
  );
  const modules = Object.fromEntries(Object.entries(integrity).filter(([file]) => /^\/assets\/.*\.js$/.test(file)));
  const map = `<script type="importmap">${JSON.stringify({ integrity: modules })}</script>`;
  return tagged.replace('<script', `${map}\n    <script`);
}
