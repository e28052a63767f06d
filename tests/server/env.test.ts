/** The environment: everything wrong is said at once, and no secret is said at all. */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EnvError, readEnv } from '#server/env';
import { loadSecrets } from '#server/secrets';

describe('environment', () => {
  test('the defaults are those of the contract', () => {
    const env = readEnv({});
    expect(env).toMatchObject({
      port: 3000,
      host: '127.0.0.1',
      publicUrl: 'http://localhost:3000',
      accessTokenTtlS: 900,
      rateLimits: true,
      logLevel: 'info',
      databaseUrl: undefined,
    });
    expect(env.dataDir).toBe(join(process.cwd(), 'data'));
    expect(readEnv({ PORT: '4000' }).publicUrl).toBe('http://localhost:4000');
    expect(readEnv({ DATABASE_URL: '' }).databaseUrl).toBeUndefined();
  });

  test('several processes need a Redis', () => {
    const REDIS_URL = 'redis://127.0.0.1:6379';
    expect(readEnv({}).processes).toBe(1);
    expect(readEnv({ PROCESSES: '4', REDIS_URL }).processes).toBe(4);
    expect(readEnv({ PROCESSES: 'auto', REDIS_URL }).processes).toBeGreaterThanOrEqual(1);
    expect(() => readEnv({ PROCESSES: '2' })).toThrow(/PROCESSES: more than one process needs REDIS_URL/);
    expect(() => readEnv({ PROCESSES: 'many', REDIS_URL })).toThrow(EnvError);
  });

  test('all problems come at once, without the values', () => {
    const wrong = {
      PORT: '70000',
      DATABASE_URL: 'mysql://me:hunter2@x/y',
      PASSWORD_PEPPER: 'c2hvcnQ',
      LOG_LEVEL: 'loud',
    };
    const error = (() => {
      try {
        return readEnv(wrong);
      } catch (caught) {
        return caught as EnvError;
      }
    })();
    expect(error).toBeInstanceOf(EnvError);
    const { message } = error as EnvError;
    for (const name of Object.keys(wrong)) expect(message).toContain(name);
    for (const secret of ['hunter2', 'c2hvcnQ']) expect(message).not.toContain(secret);
  });

  test('rate limits are not switched off in production by accident', () => {
    expect(() => readEnv({ NODE_ENV: 'production', RATE_LIMITS: 'off' })).toThrow(/RATE_LIMITS/);
    expect(readEnv({ NODE_ENV: 'production', RATE_LIMITS: 'off!' }).rateLimits).toBe(false);
    expect(readEnv({ RATE_LIMITS: 'off' }).rateLimits).toBe(false);
  });

  test('an object store needs all that opens it; the limits of files have defaults', () => {
    expect(() => readEnv({ S3_ENDPOINT: 'https://s3.example.org', S3_BUCKET: 'b' })).toThrow(
      /S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY: needed/,
    );
    const { files } = readEnv({ DATA_DIR: '/x' });
    expect(files).toEqual({
      dir: '/x/files',
      maxBytes: 2 * 1024 ** 3,
      quotaBytes: 10 * 1024 ** 3,
      perMessage: 10,
      orphanMs: 86_400_000,
      s3: undefined,
    });
  });

  test('Redis is refused rather than ignored', () => {
    expect(() => readEnv({ REDIS_URL: 'localhost:6379' })).toThrow(/redis:/);
    expect(readEnv({ REDIS_URL: 'redis://localhost' }).redisUrl).toBe('redis://localhost');
  });
});

describe('secrets', () => {
  const none = { jwtPrivateJwk: undefined, pepper: undefined, atRestKey: undefined };

  test('of many first starts at once one makes the file, readable by its owner alone', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'parley-secrets-'));
    try {
      const secretsFile = join(dir, 'deep', 'secrets.json');
      const all = await Promise.all(Array.from({ length: 8 }, () => loadSecrets({ secretsFile, secrets: none })));
      expect(new Set(all.map(({ pepper }) => pepper.toString('hex'))).size).toBe(1);
      expect(all[0]?.pepper).toHaveLength(32);
      expect(all[0]?.atRestKey).toHaveLength(32);
      if (process.platform !== 'win32') expect((await stat(secretsFile)).mode & 0o777).toBe(0o600);
      const stored = JSON.parse(await readFile(secretsFile, 'utf8'));
      const given = {
        jwtPrivateJwk: JSON.stringify(stored.jwtPrivateJwk),
        pepper: stored.passwordPepper,
        atRestKey: stored.atRestKey,
      };
      const fromEnv = await loadSecrets({ secretsFile: join(dir, 'never-made'), secrets: given });
      expect(fromEnv.pepper).toEqual(all[0]?.pepper);
      expect(fromEnv.vapid).toEqual(all[0]?.vapid);
      await expect(stat(join(dir, 'never-made'))).rejects.toThrow('ENOENT');
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
});
