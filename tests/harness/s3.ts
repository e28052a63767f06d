/** A store that speaks S3, on a free port, kept in a directory of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from '@20minutes/s3rver';
import type { S3Settings } from '#server/env';

export interface S3Server extends AsyncDisposable {
  /** As an operator would set it. */
  readonly env: Readonly<Record<string, string>>;
  readonly settings: S3Settings;
}

export async function newS3(): Promise<S3Server> {
  const directory = await mkdtemp(join(tmpdir(), 'parley-s3-'));
  const bucket = 'parley';
  const server = new S3rver({
    port: 0,
    address: '127.0.0.1',
    directory,
    silent: true,
    configureBuckets: [{ name: bucket }],
  });
  const { port } = await server.run();
  const [endpoint, key] = [`http://127.0.0.1:${port}`, 'S3RVER'];
  return {
    env: { S3_ENDPOINT: endpoint, S3_BUCKET: bucket, S3_ACCESS_KEY_ID: key, S3_SECRET_ACCESS_KEY: key },
    settings: { endpoint, region: 'us-east-1', bucket, accessKeyId: key, secretAccessKey: key, forcePathStyle: true },
    async [Symbol.asyncDispose]() {
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
