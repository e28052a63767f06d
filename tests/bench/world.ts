/** What is measured: the built server as a process of its own, on a durable PostgreSQL, and the bare parts beside it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { startEmbedded } from '#server/db/embedded';
import { createLog } from '#server/observe/log';
import { freePort, start, stop } from './process.ts';

export interface World extends AsyncDisposable {
  readonly url: string;
  readonly sql: postgres.Sql;
  readonly databaseUrl: string;
  /** The server's environment, but for its port. */
  readonly env: Record<string, string>;
  /** Of the server. */
  readonly pid: number;
  /** Where it keeps its secrets. */
  readonly dataDir: string;
  /** A bare `ws` echo in a process of its own. */
  readonly echoUrl: string;
  /** A bare HTTP server in a process of its own: PUT writes a file and makes it safe, GET reads it. */
  readonly plainUrl: string;
}

/** Of 16 MB. */
const LOG_FILES = 48;

const ECHO = `
  import { WebSocketServer } from 'ws';
  const server = new WebSocketServer({ port: Number(process.env.ECHO_PORT), host: '127.0.0.1', perMessageDeflate: false });
  server.on('connection', (socket) => socket.on('message', (data) => socket.send(data.toString())));
  server.on('listening', () => console.log('echoing'));`;

const PLAIN = `
  import { createReadStream } from 'node:fs';
  import { open } from 'node:fs/promises';
  import { createServer } from 'node:http';
  import { pipeline } from 'node:stream/promises';
  const path = process.env.PLAIN_FILE;
  createServer(async (request, response) => {
    if (request.method !== 'PUT') return pipeline(createReadStream(path, { highWaterMark: 262144 }), response);
    const file = await open(path, 'w');
    for await (const bytes of request) await file.write(bytes);
    await file.datasync();
    await file.close();
    response.writeHead(204).end();
  }).listen(Number(process.env.PLAIN_PORT), '127.0.0.1', () => console.log('plain'));`;

/**
 * A system that has run for a while writes over old files of its write-ahead log. A new one makes them as it goes, and whoever
 * commits meanwhile waits for 16 MB of zeros.
 */
async function age(sql: postgres.Sql): Promise<void> {
  for (let file = 0; file < LOG_FILES; file++) {
    await sql`select pg_logical_emit_message(false, 'bench', '')`;
    await sql`select pg_switch_wal()`;
  }
  await sql`checkpoint`;
}

export async function newWorld(): Promise<World> {
  const dataDir = await mkdtemp(join(tmpdir(), 'parley-bench-'));
  const embedded = await startEmbedded({ dataDir, log: createLog({ level: 'error' }), durable: true });
  const sql = postgres(embedded.url, { max: 2, onnotice: () => {} });
  await age(sql);
  const [port, echoPort, plainPort] = [await freePort(), await freePort(), await freePort()];
  const env = {
    DATABASE_URL: embedded.url,
    DATA_DIR: dataDir,
    RATE_LIMITS: 'off',
    ACCESS_TOKEN_TTL: '86400',
    LOG_LEVEL: 'warn',
  };
  const server = await start(['dist/server/main.js', '--migrate'], { ...env, PORT: String(port) }, 'ready');
  const echo = await start(['--input-type=module', '-e', ECHO], { ECHO_PORT: String(echoPort) }, 'echoing');
  const bare = { PLAIN_PORT: String(plainPort), PLAIN_FILE: join(dataDir, 'plain') };
  const plain = await start(['--input-type=module', '-e', PLAIN], bare, 'plain');
  return {
    url: `http://127.0.0.1:${port}`,
    echoUrl: `ws://127.0.0.1:${echoPort}`,
    plainUrl: `http://127.0.0.1:${plainPort}`,
    sql,
    databaseUrl: embedded.url,
    env,
    pid: server.pid ?? 0,
    dataDir,
    async [Symbol.asyncDispose]() {
      await sql.end();
      await Promise.all([stop(server), stop(echo), stop(plain)]);
      await embedded.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
