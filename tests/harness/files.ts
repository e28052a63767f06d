/** Uploads and downloads as a client that knows only the contract makes them. The bytes are random: the server cannot tell. */
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { uuidv7 } from 'uuidv7';
import { paddedLength } from '../../src/crypto/chunks.ts';
import type { Program } from './program.ts';

/** The length of a box around a padded plaintext of at least so many bytes. */
export function boxLength(plaintext: number): number {
  const padded = paddedLength(plaintext);
  return 56 + Math.floor(padded / 16_384) * 16_400 + (padded % 16_384) + 16;
}

export const newBox = (plaintext: number): Buffer => randomBytes(boxLength(plaintext));

type Caller = Pick<Program, 'token'>;
const authorized = ({ token }: Caller): Record<string, string> =>
  token === null ? {} : { authorization: `Bearer ${token}` };

export const put = (url: string, caller: Caller, id: string, offset: number, body: Buffer): Promise<Response> =>
  fetch(`${url}/files/${id}`, {
    method: 'PUT',
    headers: { ...authorized(caller), 'upload-offset': String(offset) },
    body: new Uint8Array(body),
  });

export const get = (url: string, caller: Caller, id: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${url}/files/${id}`, { headers: { ...authorized(caller), ...headers } });

export const head = (url: string, caller: Caller, id: string): Promise<Response> =>
  fetch(`${url}/files/${id}`, { method: 'HEAD', headers: authorized(caller) });

export const bytesOf = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer());

/** Created and uploaded in pieces, ready to be sent. */
export async function upload(
  url: string,
  caller: Program,
  conversationId: string,
  bytes: Buffer,
  id = uuidv7(),
): Promise<string> {
  const created = await caller.api.files.create.mutate({ id, conversationId, size: bytes.length });
  for (let { offset } = created; offset < bytes.length; ) {
    const answer = await put(url, caller, id, offset, bytes.subarray(offset, offset + created.partSize));
    if (answer.status !== 204) throw new Error(`PUT answered ${answer.status}: ${await answer.text()}`);
    offset = Number(answer.headers.get('upload-offset'));
  }
  return id;
}

/** With a path exactly as it is written: `fetch` would tidy it up. */
export function raw(
  url: string,
  caller: Caller,
  method: string,
  path: string,
): Promise<{ status: number; body: string }> {
  const { hostname, port } = new URL(url);
  return new Promise((done, fail) => {
    request({ hostname, port, method, path, headers: { ...authorized(caller), 'upload-offset': '0' } }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => done({ status: response.statusCode ?? 0, body }));
    })
      .on('error', fail)
      .end();
  });
}

/** A PUT that sends these bytes of the declared ones, and then nothing, until it is cut. */
export function hangingPut(
  url: string,
  caller: Caller,
  id: string,
  { offset, declared, bytes }: { offset: number; declared: number; bytes: Buffer },
): { cut(): void; ended: Promise<void> } {
  const { hostname, port } = new URL(url);
  const headers = { ...authorized(caller), 'upload-offset': String(offset), 'content-length': String(declared) };
  const call = request({ hostname, port, method: 'PUT', path: `/files/${id}`, headers });
  const ended = new Promise<void>((done) => {
    call.on('error', () => done());
    call.on('close', () => done());
  });
  call.write(bytes);
  return { cut: () => call.destroy(), ended };
}
