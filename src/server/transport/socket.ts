/** One WebSocket and the session it lives by: it ends with its token, its session or its good behaviour. */
import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { TRPCError } from '@trpc/server';
import type { WebSocket } from 'ws';
import { CLOSE } from '#protocol/close-codes';
import { ParleyError, type Reason } from '#protocol/errors';
import type { Session } from '../auth/tokens.ts';
import type { Connection } from '../context.ts';
import { toWireError } from '../wire-error.ts';
import { textFrame, textFrames } from './frame.ts';
import type { Patience } from './keep-alive.ts';

/** Whoever has not said by then who he is, is sent away. */
const AUTHENTICATE_MS = 10_000;
/** Frames a socket may send per second, and at once. Far above what a client needs; a flood costs us a parse each. */
export const FRAMES = { perSecond: 500, burst: 1_000 };
/** A caller that asks and does not read. The feed has its own, lower bound for what it pushes. */
const UNREAD_BYTES = 4 * 1024 * 1024;
/** Answers to calls that came with the bad token go out before the socket closes. */
const LAST_WORDS_MS = 50;
/** For the closing handshake; then the connection is cut. */
const CLOSE_MS = 2_000;

/** From here on there is nothing to gain from saying more at once. */
const ENOUGH_CHARACTERS = 64 * 1024;

/** What tRPC's clients understand, and `broadcastReconnectNotification` would send to all at once. */
const RECONNECT = JSON.stringify({ id: null, method: 'reconnect' });
/** And answer with `PONG`. */
const ARE_YOU_THERE = 'PING';

export interface From {
  readonly address: string;
  readonly userAgent: string | null;
  readonly now: () => number;
}

export class Socket implements Connection {
  readonly id = randomUUID();
  readonly socket: WebSocket;
  readonly address: string;
  readonly userAgent: string | null;
  subscriptions = 0;
  calls = 0;
  readonly #stream: Duplex;
  #session: Session | null = null;
  #expiry: NodeJS.Timeout;
  #closing = false;
  #frames = FRAMES.burst;
  #counted: number;
  #said: string[] | undefined;
  #saidCharacters = 0;
  #isHeard = true;
  #quietMs = 0;
  readonly #now: () => number;

  /** @param stream what `socket` writes to as well; without compression it keeps nothing back, so the order is the one of writing */
  constructor(socket: WebSocket, stream: Duplex, { address, userAgent, now }: From) {
    this.socket = socket;
    this.#stream = stream;
    this.address = address;
    this.userAgent = userAgent;
    this.#now = now;
    this.#counted = now();
    const tooLate = () => this.end(CLOSE.authTimeout, new ParleyError('UNAUTHORIZED', 'not_signed_in'));
    this.#expiry = setTimeout(tooLate, AUTHENTICATE_MS).unref();
    socket.on('close', () => {
      this.#closing = true;
      clearTimeout(this.#expiry);
    });
  }

  get session(): Session | null {
    return this.#session;
  }

  begin(session: Session): void {
    this.#session = session;
    this.#armExpiry();
  }

  extend(session: Session): boolean {
    const current = this.#session;
    if (current === null || current.userId !== session.userId || current.sessionId !== session.sessionId) return false;
    if (session.expiresAt > current.expiresAt) this.begin(session);
    return true;
  }

  /** An error frame that says why, then the close. Nothing is answered as signed in from here on. */
  end(closeCode: number, why: ParleyError): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#session = null;
    clearTimeout(this.#expiry);
    const error = toWireError(new TRPCError({ code: why.code, cause: why }));
    this.say(JSON.stringify({ id: null, error }));
    setTimeout(() => this.close(closeCode, why.reason), LAST_WORDS_MS).unref();
  }

  refuse(reason: Reason): void {
    this.end(CLOSE.unauthorized, new ParleyError('UNAUTHORIZED', reason));
  }

  /** Its client connects elsewhere and lets go of this one; until then it goes on as ever. */
  askToMove(): void {
    this.say(RECONNECT);
  }

  get isOpen(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  /** One text frame. What is said in one turn of the process goes out in one write: with the answer to a send, its sender's own copy. */
  say(text: string): void {
    if (!this.isOpen) return;
    this.#saidCharacters += text.length;
    if (this.#said) this.#said.push(text);
    else {
      this.#said = [text];
      setImmediate(() => this.#speak());
    }
    if (this.#saidCharacters > ENOUGH_CHARACTERS) this.#speak();
  }

  /** The same for what was not asked for just now: nothing of it once the session has ended, though calls are still answered. */
  tell(text: string): void {
    if (!this.#closing) this.say(text);
  }

  #speak(): void {
    const said = this.#takeSaid();
    if (said && this.isOpen) this.#stream.write(said);
  }

  #takeSaid(): Buffer | undefined {
    const said = this.#said;
    this.#said = undefined;
    this.#saidCharacters = 0;
    return said && (said.length === 1 ? textFrame(said[0] ?? '') : textFrames(said));
  }

  write(frames: Buffer): boolean {
    if (this.#closing || !this.isOpen) return true;
    // What was said before comes before. A copy costs less than a write of its own.
    const said = this.#takeSaid();
    this.#stream.write(said ? Buffer.concat([said, frames]) : frames);
    return this.#stream.writableLength === 0;
  }

  close(code: number, reason: string): void {
    this.#closing = true;
    this.#speak();
    this.socket.close(code, reason);
    const cut = setTimeout(() => this.socket.terminate(), CLOSE_MS).unref();
    this.socket.once('close', () => clearTimeout(cut));
  }

  get unsentBytes(): number {
    return this.#stream.writableLength + this.#saidCharacters;
  }

  /** At once: words would only wait behind the rest. */
  mindUnread(): void {
    if (this.unsentBytes > UNREAD_BYTES) this.socket.terminate();
  }

  /** Counts a frame in. @returns false when there were too many. A bucket that refills: a page that comes back from sleep may send much at once. */
  countFrame(limited: boolean): boolean {
    this.#isHeard = true;
    const now = this.#now();
    const refill = ((now - this.#counted) / 1000) * FRAMES.perSecond;
    this.#frames = Math.min(FRAMES.burst, this.#frames + refill) - 1;
    this.#counted = now;
    this.mindUnread();
    if (!limited || this.#frames >= 0) return true;
    const extra = { retryAfterMs: 1_000, limit: FRAMES.perSecond };
    this.end(CLOSE.overLimit, new ParleyError('TOO_MANY_REQUESTS', 'rate_limited', extra));
    return false;
  }

  /** Called once in each round: time in which this process was busy, and heard nobody, does not count. */
  mindSilence({ quietMs, answerMs, roundMs }: Patience): void {
    const before = this.#quietMs;
    this.#quietMs = this.#isHeard ? 0 : before + roundMs;
    this.#isHeard = false;
    if (this.#quietMs < quietMs || !this.isOpen) return;
    if (before < quietMs) this.say(ARE_YOU_THERE);
    else if (this.#quietMs >= quietMs + answerMs) this.socket.terminate();
  }

  #armExpiry(): void {
    clearTimeout(this.#expiry);
    const left = (this.#session?.expiresAt ?? 0) - this.#now();
    this.#expiry = setTimeout(() => this.refuse('token_expired'), Math.max(0, left)).unref();
  }
}
