/** `npm start`: builds what is missing, then becomes the server, with a database of its own unless DATABASE_URL is set. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Parley needs Node 20.19 or later; this is ${process.version}.`);
  process.exit(1);
}

await import('./end-with-npm.mjs');
const { buildIfNeeded } = await import('./build.mjs');
const began = Date.now();
console.log('Starting Parley ...');
try {
  if (await buildIfNeeded()) console.log(`Built in ${((Date.now() - began) / 1000).toFixed(1)} s.`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
// In this very process: no parent has to pass signals on, and Ctrl-C drains the server itself.
process.argv.push('--migrate');
process.setSourceMapsEnabled(true);
await import('../dist/server/main.js');
