/** One client over a bare socket: the upgrade, the greeting, and then a counter of what arrives. */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { FrameReader, textFrame } from './frames.ts';
import { type Credential, type Protocol, READY } from './protocols.ts';

/** Read into by all sockets in turn: whatever comes is done with before the next read. */
const BUFFER = Buffer.alloc(256 * 1024);
const END_OF_HEAD = '\r\n\r\n';

export interface Fate {
  /** @param now when it was read */
  delivered(connection: Connection, now: number): void;
  /** Anything else than what is counted. */
  heard(connection: Connection, text: string): void;
  /** It closed without being asked to, or was told an error. */
  failed(why: string): void;
}

export class Connection {
  readonly room: number;
  /** Of messages that were sent to a room. */
  received = 0;
  readonly #socket: Socket;
  readonly #protocol: Protocol;
  readonly #fate: Fate;
  readonly #reader: FrameReader;
  #head: string | null = '';
  #ready: () => void = () => {};
  #leaving = false;
  #readAt = 0;
  /** Resolves once whatever is sent from now on would arrive. */
  readonly ready: Promise<void>;

  constructor(port: number, protocol: Protocol, who: Credential, fate: Fate) {
    this.room = who.room;
    this.#protocol = protocol;
    this.#fate = fate;
    this.#reader = new FrameReader({
      isCounted: (bytes, at, length) => protocol.isDelivery(bytes, at, length),
      counted: () => {
        this.received++;
        fate.delivered(this, this.#readAt);
      },
      heard: (text) => this.#hear(text),
    });
    this.#socket = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: {
        buffer: BUFFER,
        callback: (count) => {
          this.#read(BUFFER.subarray(0, count), who);
          return true;
        },
      },
    });
    this.ready = new Promise((resolve, reject) => {
      this.#ready = resolve;
      this.#socket.once('close', () => {
        reject(new Error('closed before it was ready'));
        if (!this.#leaving) fate.failed('closed');
      });
    });
    this.ready.catch(() => {});
    this.#socket.on('error', (error) => fate.failed(error.message));
    this.#socket.write(
      `GET ${protocol.path(who)} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}${END_OF_HEAD}`,
    );
  }

  say(text: string): void {
    this.write(textFrame(text));
  }

  write(frame: Buffer): void {
    this.#socket.write(frame);
  }

  leave(): void {
    this.#leaving = true;
    this.#socket.destroy();
  }

  #read(bytes: Buffer, who: Credential): void {
    if (this.#head === null) {
      this.#readAt = performance.now();
      return this.#reader.read(bytes);
    }
    this.#head += bytes.toString('latin1');
    const end = this.#head.indexOf(END_OF_HEAD);
    if (end < 0) return;
    if (!this.#head.startsWith('HTTP/1.1 101')) return this.#fate.failed(this.#head.slice(0, 40));
    const rest = Buffer.from(this.#head.slice(end + END_OF_HEAD.length), 'latin1');
    this.#head = null;
    this.#socket.write(Buffer.concat(this.#protocol.greet(who).map(textFrame)));
    if (rest.length > 0) this.#reader.read(rest);
  }

  #hear(text: string): void {
    if (text.includes('"error":{')) this.#fate.failed(text.slice(0, 300));
    this.#fate.heard(this, text);
    const answer = this.#protocol.hear(text);
    if (answer === READY) this.#ready();
    else if (answer !== null) this.say(answer);
  }
}
