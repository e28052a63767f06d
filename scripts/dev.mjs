/** `npm run dev`: the server restarts and the page reloads by themselves when a file changes. */
import { spawn } from 'node:child_process';
import { createServer as createProbe } from 'node:net';
import { createServer } from 'vite';
import { bin, root } from './run.mjs';

const port = Number(process.env.PORT ?? 3000);
const host = process.env.HOST ?? '127.0.0.1';

const serverPort = await new Promise((done) => {
  const probe = createProbe().listen(0, '127.0.0.1', () => {
    const { port: free } = probe.address();
    probe.close(() => done(free));
  });
});
const server = spawn(bin('tsx'), ['watch', '--clear-screen=false', 'src/server/main.ts', '--migrate'], {
  cwd: root,
  stdio: 'inherit',
  shell: process.platform === 'win32',
  // A group of its own: Ctrl-C would reach it twice, and tsx takes the second for impatience and kills.
  detached: process.platform !== 'win32',
  env: {
    ...process.env,
    PORT: String(serverPort),
    HOST: '127.0.0.1',
    // The page comes from vite's port, so that is the origin to accept.
    PUBLIC_URL: process.env.PUBLIC_URL ?? `http://localhost:${port}`,
  },
});

const target = `http://127.0.0.1:${serverPort}`;
const web = await createServer({
  configFile: `${root}/vite.config.ts`,
  server: {
    port,
    host,
    strictPort: true,
    proxy: {
      '/trpc': { target, ws: true },
      ...Object.fromEntries(['/files', '/healthz', '/readyz', '/metrics'].map((path) => [path, { target }])),
    },
  },
});
await web.listen();
web.printUrls();

let stopping = false;
async function stop() {
  if (stopping) return;
  stopping = true;
  server.kill('SIGTERM');
  await web.close();
}
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void stop());
server.on('exit', (code) => {
  void stop().then(() => process.exit(code ?? 0));
});
