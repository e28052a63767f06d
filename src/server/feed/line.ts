/**
 * The straight way out for what happens live. What many hear is serialised and framed once, in the very bytes that tRPC's
 * adapter would send (a contract test compares them), and what one tick brings to a socket goes out in one write. The
 * adapter alone costs several times as much for each delivery (docs/performance.md).
 */
import type { Connection } from '../context.ts';
import { textAt, textFrame } from '../transport/frame.ts';
import { TAG_CHARACTERS } from './cursor.ts';
import { StoredMessage } from './stored-message.ts';

/** Bytes for all sockets, but for the tag of the person in both copies of the resume id: set in them before each write. */
interface Frame {
  bytes: Buffer;
  /** Where the tag goes. Empty: the bytes are the same for everybody. */
  readonly tagAt: readonly number[];
}

interface Body {
  readonly json: string;
  /** Practically all who hear the same have the same request id and resume at the same snapshot. */
  last: { readonly head: string; readonly snapshot: string | null; readonly frame: Frame } | undefined;
}

/** Of what is kept for who comes back (recent.ts), as long as it is kept. */
const kept = new WeakMap<StoredMessage, Body>();
/**
 * Of what happens live, for this turn of the process and the next, in which its sender hears it. In a weak map it would live
 * through collections of the young generation, and each message with it.
 */
let fresh = new Map<object, Body>();
let fading = new Map<object, Body>();

function bodyOf(value: object): Body {
  const isKept = value instanceof StoredMessage;
  const known = isKept ? kept.get(value) : (fresh.get(value) ?? fading.get(value));
  if (known) return known;
  const body: Body = { json: jsonOf(value), last: undefined };
  if (isKept) kept.set(value, body);
  else {
    if (fresh.size + fading.size === 0) setImmediate(fade);
    fresh.set(value, body);
  }
  return body;
}

function fade(): void {
  fading = fresh;
  fresh = new Map();
  if (fading.size > 0) setImmediate(fade);
}

/** Of all who hear the same in one tick, the second and all after him find it here. */
let latest:
  | { readonly value: object; readonly head: string; readonly snapshot: string | null; readonly frame: Frame }
  | undefined;
const NO_TAG = ' '.repeat(TAG_CHARACTERS);

function frameOf(value: object, head: string, snapshot: string | null): Frame {
  if (latest?.value === value && latest.head === head && latest.snapshot === snapshot) return latest.frame;
  const frame = frameAnew(value, head, snapshot);
  latest = { value, head, snapshot, frame };
  return frame;
}

function frameAnew(value: object, head: string, snapshot: string | null): Frame {
  const body = bodyOf(value);
  const { last } = body;
  if (last && last.head === head && last.snapshot === snapshot) return last.frame;
  const frame = snapshot === null ? plainFrame(body.json, head) : trackedFrame(body.json, head, snapshot);
  body.last = { head, snapshot, frame };
  return frame;
}

const jsonOf = (value: object): string => (value instanceof StoredMessage ? value.json : JSON.stringify(value));

function plainFrame(json: string, head: string): Frame {
  return { bytes: textFrame(`${head},"result":{"type":"data","data":${json}}}`), tagAt: [] };
}

function trackedFrame(json: string, head: string, snapshot: string): Frame {
  const before = `${head},"result":{"type":"data","data":{"id":"`;
  const id = `${NO_TAG}.${snapshot}`;
  const end = '"}}';
  const bytes = textFrame(`${before}${id}","data":${json}},"id":"${id}${end}`);
  return { bytes, tagAt: [textAt(bytes) + Buffer.byteLength(before), bytes.length - end.length - id.length] };
}

/** What was last put together: practically all who hear several things in a tick hear the same ones. */
let together: { readonly parts: readonly Frame[]; readonly whole: Frame } | undefined;
let burst:
  | { readonly values: readonly object[]; readonly head: string; readonly snapshot: string; readonly whole: Frame }
  | undefined;

function joined(parts: readonly Frame[]): Frame {
  if (together?.parts.length === parts.length && parts.every((part, i) => part === together?.parts[i]))
    return together.whole;
  const whole = concat(parts);
  together = { parts, whole };
  return whole;
}

function burstOf(values: readonly object[], head: string, snapshot: string): Frame {
  if (burst?.values === values && burst.head === head && burst.snapshot === snapshot) return burst.whole;
  const whole = concat(values.map((value) => frameOf(value, head, snapshot)));
  burst = { values, head, snapshot, whole };
  return whole;
}

function concat(parts: readonly Frame[]): Frame {
  let length = 0;
  const tagAt = parts.flatMap((part) => {
    const from = length;
    length += part.bytes.length;
    return part.tagAt.map((at) => from + at);
  });
  const bytes = parts.map((part) => part.bytes);
  return { bytes: Buffer.concat(bytes, length), tagAt };
}

/** Lines with something to write once this tick is over. */
let waiting: Line[] = [];

function writeAll(): void {
  const lines = waiting;
  waiting = [];
  for (const line of lines) line.write();
  together = undefined;
  burst = undefined;
  latest = undefined;
}

/** Ten stores cost less than a call of `Buffer.write`, and a burst has twenty of them. */
function setTag(bytes: Buffer, tag: string, at: number): void {
  for (let i = 0; i < TAG_CHARACTERS; i++) bytes[at + i] = tag.charCodeAt(i);
}

export class Line {
  readonly #connection: Connection;
  readonly #head: string;
  readonly #tag: string;
  /** Nearly always one. */
  #first: Frame | undefined;
  #more: Frame[] | undefined;
  #bytes = 0;
  #isBehind = false;

  /**
   * @param head how answers to the subscription begin, as in `{"id":7`
   * @param tag of the person whose cursors these are (cursor.ts)
   */
  constructor(connection: Connection, head: string, tag: string) {
    this.#connection = connection;
    this.#head = head;
    this.#tag = tag;
  }

  /** Given to the line and not yet to the socket. */
  get waitingBytes(): number {
    return this.#bytes;
  }

  /** The same, and what the socket has left of what was written last. It is asked only when it left something. */
  get unsentBytes(): number {
    return this.#isBehind ? this.#bytes + this.#connection.unsentBytes : this.#bytes;
  }

  /** What cannot be resumed. The same object for all who hear the same. */
  signal(value: object): void {
    this.#add(frameOf(value, this.#head, null));
  }

  event(value: object, snapshot: string): void {
    this.#add(frameOf(value, this.#head, snapshot));
  }

  /** What nobody else hears: no bytes are kept for anybody. */
  own(value: object, snapshot: string): void {
    const id = `${this.#tag}.${snapshot}`;
    this.#connection.tell(
      `${this.#head},"result":{"type":"data","data":{"id":"${id}","data":${jsonOf(value)}},"id":"${id}"}}`,
    );
  }

  /** The same list for all who hear the same: it is put together once. */
  events(values: readonly object[], snapshot: string): void {
    this.#add(burstOf(values, this.#head, snapshot));
  }

  #add(frame: Frame): void {
    this.#bytes += frame.bytes.length;
    if (this.#first) return void (this.#more ??= [this.#first]).push(frame);
    this.#first = frame;
    if (waiting.push(this) === 1) queueMicrotask(writeAll);
  }

  write(): void {
    const frame = this.#more ? joined(this.#more) : this.#first;
    this.#first = undefined;
    this.#more = undefined;
    this.#bytes = 0;
    if (!frame) return;
    const { bytes, tagAt } = frame;
    for (const at of tagAt) setTag(bytes, this.#tag, at);
    const isTaken = this.#connection.write(bytes);
    this.#isBehind = !isTaken;
    // A socket that is behind keeps the bytes until it has sent them; they are not set to the next one's tag any more.
    if (!isTaken && tagAt.length > 0) frame.bytes = Buffer.from(bytes);
  }
}
