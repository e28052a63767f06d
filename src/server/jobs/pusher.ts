/** Sends one web push: encrypted for the browser (RFC 8291), signed by us (RFC 8292), to where it may be sent. */
import { createHash } from 'node:crypto';
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { PushPayload } from '#protocol/push';
import { acceptsLocalPush, checkEndpointUrl, checkedLookup } from '../domain/push-endpoint.ts';
import type { Env } from '../env.ts';
import type { Logger } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Secrets } from '../secrets.ts';

/** `gone`: the browser has unsubscribed. `refused`: it will never be taken. `failed`: it may be taken another time. */
export type PushOutcome = 'sent' | 'gone' | 'refused' | 'failed';

export interface PushTarget {
  readonly endpoint: string;
  readonly p256dh: string;
  readonly auth: string;
}

/** A push service keeps what it cannot hand over for so long: after a week's absence one is still told. */
const TTL_S = 7 * 24 * 60 * 60;
/** 4096 bytes are what every push service takes; header, tag and padding sign of RFC 8188 off. */
const PAYLOAD_BYTES = 3_993;
const RETRY_AFTER_MAX_MS = 60 * 60_000;

export class Pusher {
  readonly #vapid: { subject: string; publicKey: string; privateKey: string };
  readonly #local: boolean;
  readonly #log: Logger;
  readonly #metrics: Metrics;
  readonly #timeoutMs: number;
  readonly #http: HttpAgent;
  readonly #https: HttpsAgent;
  /** Push service -> when it wants to hear from us again. */
  readonly #busy = new Map<string, number>();

  constructor(parts: { env: Env; secrets: Secrets; log: Logger; metrics: Metrics }, timeoutMs: number) {
    this.#vapid = { subject: parts.env.vapidSubject, ...parts.secrets.vapid };
    this.#local = acceptsLocalPush(parts.env.publicUrl);
    this.#log = parts.log;
    this.#metrics = parts.metrics;
    this.#timeoutMs = timeoutMs;
    const agent = { keepAlive: true, maxSockets: 20, lookup: checkedLookup(this.#local) };
    this.#http = new HttpAgent(agent);
    this.#https = new HttpsAgent(agent);
  }

  /** Never throws. */
  async send(target: PushTarget, payload: PushPayload): Promise<PushOutcome> {
    let outcome: PushOutcome;
    let why: Record<string, unknown>;
    try {
      const { status, retryAfterMs } = await this.#post(target, payload);
      outcome = outcomeOf(status);
      why = { status };
      if (retryAfterMs > 0 && outcome === 'failed') this.#busy.set(originOf(target), Date.now() + retryAfterMs);
    } catch (err) {
      outcome = isOurs(err) ? 'refused' : 'failed';
      why = { err };
    }
    this.#metrics.pushes.inc({ outcome });
    // Whoever knows the whole endpoint can push to it, so only the service is named.
    if (outcome === 'refused' || outcome === 'failed')
      this.#log.warn({ ...why, service: originOf(target) }, `push ${outcome}`);
    return outcome;
  }

  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  async #post(target: PushTarget, payload: PushPayload): Promise<{ status: number; retryAfterMs: number }> {
    const url = checkEndpointUrl(target.endpoint, this.#local);
    const busyUntil = this.#busy.get(url.origin) ?? 0;
    if (busyUntil > Date.now()) throw new Error('the push service asked for a pause');
    this.#busy.delete(url.origin);
    const { default: webPush } = await import('web-push');
    const { endpoint, p256dh, auth } = target;
    let details: ReturnType<typeof webPush.generateRequestDetails>;
    try {
      details = webPush.generateRequestDetails({ endpoint, keys: { p256dh, auth } }, encode(payload), {
        vapidDetails: this.#vapid,
        TTL: TTL_S,
        urgency: 'high',
        topic: topicOf(payload.conversationId),
      });
    } catch (cause) {
      throw new Unusable('the subscription cannot be encrypted for', { cause });
    }
    // Not `fetch`: the address has to be checked by the lookup of this very connection. Redirects are not followed here.
    const [request, agent] = url.protocol === 'https:' ? [requestHttps, this.#https] : [requestHttp, this.#http];
    const signal = AbortSignal.timeout(this.#timeoutMs);
    return new Promise((done, fail) => {
      const { method, headers } = details;
      const sent = request(url, { method, headers: headers as Record<string, string>, agent, signal }, (answer) => {
        answer
          .on('error', fail)
          .on('end', () => done({ status: answer.statusCode ?? 0, retryAfterMs: retryAfter(answer) }));
        answer.resume();
      });
      sent.on('error', fail);
      sent.end(details.body);
    });
  }
}

class Unusable extends Error {}
const isOurs = (error: unknown) =>
  error instanceof Unusable || (error instanceof Error && error.name === 'EndpointRefused');

const originOf = ({ endpoint }: PushTarget) => new URL(endpoint).origin;

function outcomeOf(status: number): PushOutcome {
  if (status >= 200 && status < 300) return 'sent';
  if (status === 404 || status === 410) return 'gone';
  return status === 408 || status === 429 || status >= 500 ? 'failed' : 'refused';
}

function retryAfter({ headers }: IncomingMessage): number {
  const value = headers['retry-after'];
  if (value === undefined) return 0;
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.min(RETRY_AFTER_MAX_MS, Math.max(0, ms)) : 0;
}

/** Of several pushes that a service could not hand over yet, it may keep the newest of each conversation. Tells it nothing. */
const topicOf = (conversationId: string) =>
  createHash('sha256').update(`push topic ${conversationId}`).digest('base64url').slice(0, 32);

function encode(payload: PushPayload): string {
  const whole = JSON.stringify(payload);
  if (Buffer.byteLength(whole) <= PAYLOAD_BYTES) return whole;
  const { contentEncrypted: _, ...rest } = payload;
  return JSON.stringify(rest);
}
