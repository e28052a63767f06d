/**
 * Files in an S3-compatible store, uploaded in parts of one size. A part counts when it is whole: what arrives of the next one is
 * held in memory until then. Which parts there are, their own row remembers, so nothing has to be listed.
 */
import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { z } from 'zod';
import { Gate, GateFull } from '#lib/gate';
import { must } from '#lib/must';
import { ParleyError } from '#protocol/errors';
import type { S3Settings } from '../env.ts';
import { type Keep, Missing, partSizeOf, type Storage, Superseded, type Upload } from './storage.ts';

/** Uploads that hold a part in memory at once, in this process. */
const AT_ONCE = 16;
const Parts = z.object({ uploadId: z.string(), etags: z.array(z.string()) });
type Parts = z.infer<typeof Parts>;

const isNamed = (error: unknown, ...names: string[]) => error instanceof Error && names.includes(error.name);
const absent = (error: unknown): undefined => {
  if (isNamed(error, 'NoSuchKey', 'NoSuchUpload', 'NotFound')) return undefined;
  throw error;
};

export class S3Storage implements Storage {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #gate = new Gate(AT_ONCE, 0);

  constructor({ endpoint, region, bucket, accessKeyId, secretAccessKey, forcePathStyle }: S3Settings) {
    this.#bucket = bucket;
    this.#client = new S3Client({
      endpoint,
      region,
      forcePathStyle,
      credentials: { accessKeyId, secretAccessKey },
      // Not every store that speaks S3 knows the newer checksums; the envelope carries a hash of its own.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: { connectionTimeout: 5_000, requestTimeout: 60_000 },
    });
  }

  async offset(upload: Upload): Promise<number> {
    const parts = read(upload);
    return parts ? Math.min(upload.size, parts.etags.length * partSizeOf(upload.size)) : 0;
  }

  async append(upload: Upload, at: number, body: AsyncIterable<Uint8Array>, keep: Keep): Promise<number> {
    try {
      return await this.#gate.run(() => this.#append(upload, at, body, keep));
    } catch (error) {
      if (isNamed(error, 'NoSuchUpload')) throw new Superseded();
      if (error instanceof GateFull)
        throw new ParleyError('SERVICE_UNAVAILABLE', 'overloaded', { retryAfterMs: 1_000, cause: error });
      throw error;
    }
  }

  async #append(upload: Upload, at: number, body: AsyncIterable<Uint8Array>, keep: Keep): Promise<number> {
    const { id, size } = upload;
    const partSize = partSizeOf(size);
    let state = read(upload) ?? (await this.#begin(id, keep));
    let end = at;
    const store = async (bytes: Uint8Array) => {
      const PartNumber = state.etags.length + 1;
      const { ETag } = await this.#client.send(
        new UploadPartCommand({ ...this.#object(id), UploadId: state.uploadId, PartNumber, Body: bytes }),
      );
      const next = { ...state, etags: [...state.etags, must(ETag, 'a stored part has an etag')] };
      await keep(next, state);
      state = next;
      end += bytes.length;
    };
    const part = Buffer.allocUnsafeSlow(Math.min(partSize, size - at));
    let filled = 0;
    for await (const bytes of body)
      for (let taken = 0; taken < bytes.length; ) {
        const room = Math.min(partSize, size - end) - filled;
        const piece = bytes.subarray(taken, taken + room);
        part.set(piece, filled);
        taken += piece.length;
        filled += piece.length;
        if (piece.length < room) continue;
        await store(part.subarray(0, filled));
        filled = 0;
      }
    return end;
  }

  async #begin(id: string, keep: Keep): Promise<Parts> {
    const { UploadId } = await this.#client.send(
      new CreateMultipartUploadCommand({ ...this.#object(id), ContentType: 'application/octet-stream' }),
    );
    const state: Parts = { uploadId: must(UploadId, 'an upload in parts has an id'), etags: [] };
    try {
      await keep(state, null);
    } catch (error) {
      await this.#abort(id, state);
      throw error;
    }
    return state;
  }

  async finish(upload: Upload): Promise<void> {
    const parts = must(read(upload), 'what is finished was begun');
    const sent = new CompleteMultipartUploadCommand({
      ...this.#object(upload.id),
      UploadId: parts.uploadId,
      MultipartUpload: { Parts: parts.etags.map((ETag, i) => ({ ETag, PartNumber: i + 1 })) },
    });
    try {
      await this.#client.send(sent);
    } catch (error) {
      // Finished before, and the answer was lost.
      const there = await this.#client.send(new HeadObjectCommand(this.#object(upload.id))).catch(() => undefined);
      if (there?.ContentLength !== upload.size) throw error;
    }
  }

  async read(id: string, start: number, end: number): Promise<Readable> {
    const asked = new GetObjectCommand({ ...this.#object(id), Range: `bytes=${start}-${end}` });
    const found = await this.#client.send(asked).catch(absent);
    if (!found?.Body) throw new Missing();
    return found.Body as Readable;
  }

  async remove(upload: Upload): Promise<void> {
    const parts = read(upload);
    if (parts) await this.#abort(upload.id, parts);
    await this.#client.send(new DeleteObjectCommand(this.#object(upload.id))).catch(absent);
  }

  async #abort(id: string, { uploadId }: Parts): Promise<void> {
    const abort = new AbortMultipartUploadCommand({ ...this.#object(id), UploadId: uploadId });
    await this.#client.send(abort).catch((error: unknown) => {
      // Smaller stores have no such thing; they forget unfinished uploads by themselves.
      if (!isNamed(error, 'MethodNotAllowed', 'NotImplemented')) absent(error);
    });
  }

  /** Rows are written before anything is stored, and removed after. What is left of a crash between, a rule of the bucket clears. */
  async removeStrays(): Promise<number> {
    return 0;
  }

  #object(id: string) {
    return { Bucket: this.#bucket, Key: `files/${id}` };
  }
}

function read({ parts }: Pick<Upload, 'parts'>): Parts | undefined {
  return parts === null ? undefined : Parts.parse(parts);
}
