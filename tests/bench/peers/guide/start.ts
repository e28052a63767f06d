/** Starts the guide's architecture: a database of its own on the same PostgreSQL, and a Redis for its jobs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Crowd } from '../../crowd.ts';
import { freePort } from '../../process.ts';
import { type Place, startPeer } from '../../targets.ts';
import type { World } from '../../world.ts';

const DATABASE = 'bench_guide';

export async function startGuide(world: World, crowd: Pick<Crowd, 'frame'>): Promise<Place & AsyncDisposable> {
  await world.sql.unsafe(`create database ${DATABASE}`);
  const database = new URL(world.databaseUrl);
  database.pathname = `/${DATABASE}`;
  const redisPort = await freePort();
  const redis = spawn('redis-server', ['--port', String(redisPort), '--bind', '127.0.0.1', '--save', ''], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise<void>((resolve, reject) => {
    redis.stdout.on('data', (chunk: Buffer) => chunk.toString().includes('Ready to accept') && resolve());
    redis.once('error', reject);
  });
  const env = { GUIDE_DATABASE_URL: database.href, GUIDE_REDIS_URL: `redis://127.0.0.1:${redisPort}` };
  const stopRedis = async () => {
    redis.kill();
    await once(redis, 'exit');
  };
  const { pid, port, stop } = await startPeer('guide', crowd, env).catch(async (error: unknown) => {
    await stopRedis();
    throw error;
  });
  return {
    pid,
    port,
    async [Symbol.asyncDispose]() {
      await stop?.();
      await stopRedis();
    },
  };
}
