/**
 * Owns the watch over the server's log of all identities: that it only grows, that it lists no keys of mine that I do not have,
 * and that it is the same log that others see. Points of it travel inside messages, where the server cannot change them.
 */
import { concat } from '#crypto/index';
import { type Bytes, fromBase64, sha256, toBase64 } from '#crypto/verify';
import { Serial } from '#lib/serial';
import type { LogPage } from '#protocol/keys';
import type { Me } from './accounts.ts';
import type { Alarms } from './alarms.ts';
import type { Device } from './device.ts';
import type { KeyDirectory } from './directory.ts';

/** The log up to `i`, all of it, is what hashes to `h` (base64). */
export interface LogPoint {
  i: number;
  h: string;
}

interface Parts {
  directory: KeyDirectory;
  device: Device;
  alarms: Alarms;
  me: () => Me;
}

const PLACE = 'identity-log';
/** Farther apart than this, two points are not compared: it would cost a page for each thousand. */
const MAX_DISTANCE = 5_000;
const HASH_BYTES = 32;

export class IdentityLog {
  readonly #parts: Parts;
  readonly #serial = new Serial();
  #head: LogPoint | undefined;
  /** What was found to belong to this log. */
  readonly #known = new Map<number, string>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** To be told to others. */
  get head(): LogPoint | undefined {
    return this.#head;
  }

  /** From where this device was to where the server is now. */
  async check(): Promise<void> {
    return this.#serial.run(PLACE, async () => {
      const { alarms, device, directory, me } = this.#parts;
      const before = (this.#head ?? (await device.get('sealed', PLACE))) as LogPoint | undefined;
      const page = await directory.identityLog(before?.i ?? null);
      if (page.mine.some(({ gen }) => gen > me().gen)) alarms.raise('foreign_identity');
      // The first sight of a device is taken as it is, as with people's keys.
      const head = before ? await this.#follow(before, page) : page.head && { i: page.head.index, h: page.head.hash };
      if (!head) return;
      this.#note(head);
      this.#head = head;
      if (head.i !== before?.i) await device.put('sealed', PLACE, head);
    });
  }

  /** What somebody else was shown, from inside a message. In the background: whoever reads does not wait for it. */
  compare(point: unknown): void {
    if (!isPoint(point) || this.#known.get(point.i) === point.h) return;
    void this.#serial.run(PLACE, () => this.#compare(point)).catch(() => {});
  }

  forget(): void {
    this.#head = undefined;
    this.#known.clear();
  }

  async #compare(point: LogPoint): Promise<void> {
    const mine = this.#head;
    if (!mine || this.#known.get(point.i) === point.h || Math.abs(point.i - mine.i) > MAX_DISTANCE) return;
    const [first, last] = point.i < mine.i ? [point, mine] : [mine, point];
    const reached = await this.#walk(first, last.i);
    // Short of it, nothing is known: the other one may be ahead of what this server has, or not tell the truth.
    if (reached?.i !== last.i) return;
    if (reached.h === last.h) this.#note(point);
    else this.#parts.alarms.raise('split_view');
  }

  /** The log has to begin with what it was before. */
  async #follow(before: LogPoint, page: LogPage): Promise<LogPoint> {
    const { alarms } = this.#parts;
    if (!page.head || page.head.index < before.i) {
      alarms.raise('split_view');
      return before;
    }
    const reached = await this.#walk(before, page.head.index, page);
    if (reached?.i !== page.head.index) return reached ?? before;
    if (reached.h === page.head.hash) return reached;
    alarms.raise('split_view');
    return before;
  }

  async #walk(from: LogPoint, to: number, given?: LogPage): Promise<LogPoint | undefined> {
    let { i } = from;
    let hash = fromBase64(from.h);
    for (let page = given; i < to; page = undefined) {
      const { entries } = page ?? (await this.#parts.directory.identityLog(i));
      if (entries.length === 0) return undefined;
      for (const entry of entries.slice(0, to - i)) hash = await linkHash(hash, ++i, fromBase64(entry));
    }
    return { i, h: toBase64(hash) };
  }

  #note({ i, h }: LogPoint): void {
    this.#known.set(i, h);
  }
}

async function linkHash(before: Bytes, index: number, recordHash: Bytes): Promise<Bytes> {
  const number = new Uint8Array(8);
  new DataView(number.buffer).setBigUint64(0, BigInt(index));
  return sha256(concat(before, number, recordHash));
}

function isPoint(value: unknown): value is LogPoint {
  if (typeof value !== 'object' || value === null || !('i' in value) || !('h' in value)) return false;
  if (typeof value.h !== 'string' || !Number.isSafeInteger(value.i)) return false;
  try {
    return fromBase64(value.h).length === HASH_BYTES;
  } catch {
    return false;
  }
}
