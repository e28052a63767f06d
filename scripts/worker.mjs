/** `npm run worker`: builds what is missing, then becomes a worker. Needs DATABASE_URL and REDIS_URL. */
await import('./end-with-npm.mjs');
const { buildIfNeeded } = await import('./build.mjs');
try {
  await buildIfNeeded();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
process.setSourceMapsEnabled(true);
await import('../dist/server/worker.js');
