/** A push service of our own on a free port: takes pushes, opens them as a browser would, and answers as the test says. */
import { createDecipheriv, createECDH, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PushPayload } from '#protocol/push';

export interface ReceivedPush {
  readonly headers: IncomingHttpHeaders;
  /** As it came, and what the browser reads in it. */
  readonly body: Buffer;
  readonly text: string;
  readonly payload: PushPayload;
  readonly answered: number;
}

export interface PushBrowser {
  /** What `PushSubscription.toJSON()` gives. */
  readonly subscription: { endpoint: string; expirationTime: null; keys: { p256dh: string; auth: string } };
  readonly received: ReceivedPush[];
  /** The pushes that were taken, by the seq they tell of. */
  told(): number[];
  /** The status of the next answer; 201 when it is not set. May take its time. */
  answer: (push: PushPayload) => number | Promise<number>;
}

export interface PushService extends AsyncDisposable {
  readonly url: string;
  newBrowser(): PushBrowser;
}

export async function newPushService(): Promise<PushService> {
  const browsers = new Map<string, { take(body: Buffer, headers: IncomingHttpHeaders): Promise<number> }>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const browser = browsers.get(request.url ?? '');
      void (browser?.take(Buffer.concat(chunks), request.headers) ?? Promise.resolve(404)).then((status) =>
        response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end(),
      );
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    newBrowser() {
      const path = `/push/${randomBytes(8).toString('hex')}`;
      const keys = createECDH('prime256v1');
      const p256dh = keys.generateKeys('base64url');
      const auth = randomBytes(16);
      const browser: PushBrowser = {
        subscription: {
          endpoint: url + path,
          expirationTime: null,
          keys: { p256dh, auth: auth.toString('base64url') },
        },
        received: [],
        told: () => browser.received.filter(({ answered }) => answered < 300).map(({ payload }) => payload.seq),
        answer: () => 201,
      };
      browsers.set(path, {
        async take(body, headers) {
          const text = decrypt(body, keys, auth);
          const payload = JSON.parse(text) as PushPayload;
          const answered = await browser.answer(payload);
          browser.received.push({ headers, body, text, payload, answered });
          return answered;
        },
      });
      return browser;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** RFC 8291 section 3.4 over one record of RFC 8188. */
function decrypt(body: Buffer, keys: ReturnType<typeof createECDH>, auth: Buffer): string {
  const salt = body.subarray(0, 16);
  const idLength = body[20] ?? 0;
  const serverKey = body.subarray(21, 21 + idLength);
  const record = body.subarray(21 + idLength);
  const secret = keys.computeSecret(serverKey);
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), keys.getPublicKey(), serverKey]);
  const ikm = Buffer.from(hkdfSync('sha256', secret, auth, info, 32));
  const prk = createHmac('sha256', salt).update(ikm).digest();
  const expand = (label: string, length: number) =>
    createHmac('sha256', prk).update(`Content-Encoding: ${label}\0\x01`, 'latin1').digest().subarray(0, length);
  const opener = createDecipheriv('aes-128-gcm', expand('aes128gcm', 16), expand('nonce', 12));
  opener.setAuthTag(record.subarray(-16));
  const padded = Buffer.concat([opener.update(record.subarray(0, -16)), opener.final()]);
  return padded.subarray(0, padded.lastIndexOf(2)).toString('utf8');
}
