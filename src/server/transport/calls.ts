/**
 * tRPC's protocol over a WebSocket, the server's side: what a socket says becomes calls of the router's procedures, and what
 * they give becomes frames. tRPC's own adapter does the same for several times the memory and time
 * (docs/decisions/0017-calls.md); a test holds every frame against it.
 */
import { type AnyTRPCRouter, getTRPCErrorFromUnknown, isTrackedEnvelope, TRPCError } from '@trpc/server';
import { parseTRPCMessage } from '@trpc/server/rpc';
import { z } from 'zod';
import { LIMITS } from '#protocol/limits';
import type { Context } from '../context.ts';
import { isIterable } from '../subscription.ts';
import { toWireError } from '../wire-error.ts';
import { procedureAt, run } from './procedure.ts';
import type { Socket } from './socket.ts';

type Message = ReturnType<typeof parseTRPCMessage>;
type Request = Exclude<Message, { method: 'subscription.stop' }>;
type Id = NonNullable<Message['id']>;
export type ConnectionParams = Readonly<Record<string, string | null | undefined>> | null;

/** Of a socket, and of each of its subscriptions with how the answers begin. */
export interface SocketContext extends Context {
  answering(head: string): Context;
}

export interface Served {
  readonly router: AnyTRPCRouter;
  readonly limitsFrames: boolean;
  /** Once for each socket. @param params null when none were announced */
  createContext(socket: Socket, params: ConnectionParams): Promise<SocketContext>;
  onError(failed: { error: TRPCError; path: string | undefined }): void;
}

/** tRPC's clients count their requests. An id is said with every event of its subscription. */
const ID_CHARACTERS = 64;

/** What a socket says first, when it has announced to. */
const First = z.object({ data: z.record(z.string(), z.string().nullish()).nullable() });

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** How all that is said to a request begins: `{"id":7`. */
const headOf = ({ id, jsonrpc }: { id: Id | null; jsonrpc?: unknown }): string =>
  JSON.stringify({ id, jsonrpc }).slice(0, -1);
const answer = (head: string, result: object): string => `${head},"result":${JSON.stringify(result)}}`;
const NOBODY = headOf({ id: null });

/** One subscription. Its id is free again when it has ended. */
interface Stream {
  readonly head: string;
  readonly path: string;
  iterator: AsyncIterator<unknown> | undefined;
  isStopped: boolean;
}

export class Calls {
  readonly #socket: Socket;
  readonly #served: Served;
  /** Null until what was announced has come. */
  #context: Promise<SocketContext> | null;
  #streams: Map<Id, Stream> | undefined;

  constructor(socket: Socket, served: Served, { isAnnounced }: { isAnnounced: boolean }) {
    this.#socket = socket;
    this.#served = served;
    this.#context = isAnnounced ? null : this.#begin(() => null);
    const ws = socket.socket;
    ws.on('message', (data: Buffer, isBinary) => this.#hear(isBinary ? undefined : data.toString()));
    ws.on('error', (cause) => served.onError({ error: getTRPCErrorFromUnknown(cause), path: undefined }));
    ws.once('close', () => {
      for (const stream of this.#streams?.values() ?? []) void this.#stop(stream);
    });
  }

  /** @param text undefined: bytes that are none */
  #hear(text: string | undefined): void {
    if (!this.#socket.countFrame(this.#served.limitsFrames) || text === 'PONG') return;
    if (text === 'PING') return this.#socket.say('PONG');
    if (this.#context === null) this.#context = this.#begin(() => First.parse(JSON.parse(text ?? '')).data);
    else for (const [i, message] of this.#read(text).entries()) this.#take(this.#context, message, i);
  }

  #begin(read: () => ConnectionParams): Promise<SocketContext> {
    const context = this.#createContext(read);
    context.catch((cause: unknown) => {
      this.#refuse(NOBODY, cause);
      setImmediate(() => this.#socket.socket.close());
    });
    return context;
  }

  async #createContext(read: () => ConnectionParams): Promise<SocketContext> {
    let params: ConnectionParams;
    try {
      params = read();
    } catch (cause) {
      throw new TRPCError({ code: 'PARSE_ERROR', cause });
    }
    return this.#served.createContext(this.#socket, params);
  }

  /** Nothing when something is wrong with any of it: that is answered. */
  #read(text: string | undefined): Message[] {
    try {
      const said: unknown = JSON.parse(text ?? '');
      const isBatch = Array.isArray(said);
      if (isBatch && said.length > LIMITS.batch) return this.#refuseBatch(said);
      const all: unknown[] = isBatch ? said : [said];
      return all.map((one) => this.#parse(one));
    } catch (cause) {
      this.#refuse(NOBODY, new TRPCError({ code: 'PARSE_ERROR', cause }));
      return [];
    }
  }

  #parse(one: unknown): Message {
    const message = parseTRPCMessage(one, this.#served.router._def._config.transformer);
    if (String(message.id).length > ID_CHARACTERS) throw new TypeError('a longer id than anybody needs');
    return message;
  }

  /** Each of it, so that nobody waits for an answer. */
  #refuseBatch(all: readonly unknown[]): [] {
    const heads = all.flatMap((one) => {
      if (!isObject(one) || one.method === 'subscription.stop') return [];
      const { id, jsonrpc } = one;
      if (typeof id !== 'number' && typeof id !== 'string') return [];
      return headOf(jsonrpc === '2.0' ? { id, jsonrpc } : { id });
    });
    const error = new TRPCError({ code: 'BAD_REQUEST', message: 'Batch call exceeds maximum size' });
    this.#served.onError({ error, path: undefined });
    const words = JSON.stringify(toWireError(error));
    for (const head of heads.length > 0 ? heads : [NOBODY]) this.#socket.say(`${head},"error":${words}}`);
    return [];
  }

  #take(context: Promise<SocketContext>, message: Message, batchIndex: number): void {
    const { id } = message;
    if (id === null) return this.#refuse(headOf(message), new TRPCError({ code: 'PARSE_ERROR' }));
    if (message.method === 'subscription.stop') return void this.#stop(this.#streams?.get(id));
    if (message.method !== 'subscription') return void this.#call(context, message, batchIndex);
    const stream: Stream = { head: headOf(message), path: message.params.path, iterator: undefined, isStopped: false };
    if (this.#streams?.has(id)) return this.#refuse(stream.head, new TRPCError({ code: 'BAD_REQUEST' }), stream.path);
    (this.#streams ??= new Map()).set(id, stream);
    void this.#subscribe(context, message, stream, batchIndex);
  }

  async #call(context: Promise<SocketContext>, request: Request, batchIndex: number): Promise<void> {
    const head = headOf(request);
    const { path } = request.params;
    const type = request.method;
    try {
      const procedure = procedureAt(this.#served.router, path, type);
      const data = await run(procedure, { ctx: await context, path, type, input: inputOf(request), batchIndex });
      this.#say(head, { type: 'data', data });
    } catch (cause) {
      this.#refuse(head, cause, path);
    }
  }

  /** A subscription that has begun goes on by itself: while nothing happens it holds nothing of its request. */
  async #subscribe(
    context: Promise<SocketContext>,
    request: Request,
    stream: Stream,
    batchIndex: number,
  ): Promise<void> {
    const { head, path } = stream;
    const id = request.id as Id;
    try {
      const ctx = (await context).answering(head);
      const procedure = procedureAt(this.#served.router, path, 'subscription');
      const input = inputOf(request);
      const given = stream.isStopped
        ? undefined
        : await run(procedure, { ctx, path, type: request.method, input, batchIndex });
      if (given !== undefined && !isIterable(given)) throw new TypeError('a subscription gave nothing to follow');
      stream.iterator = given?.[Symbol.asyncIterator]();
    } catch (cause) {
      this.#streams?.delete(id);
      return this.#refuse(head, cause, path);
    }
    if (!stream.isStopped && this.#socket.isOpen) this.#say(head, { type: 'started' });
    else {
      await this.#stop(stream);
      stream.iterator = undefined;
    }
    void this.#pump(id, stream);
  }

  /** Until the iterator ends, which a stop makes it do. */
  async #pump(id: Id, stream: Stream): Promise<void> {
    const { head, path, iterator } = stream;
    try {
      for (let next = await iterator?.next(); next && !next.done; next = await iterator?.next())
        this.#socket.tell(answer(head, dataOf(next.value)));
    } catch (cause) {
      this.#refuse(head, cause, path);
    }
    await this.#stop(stream);
    this.#streams?.delete(id);
    this.#say(head, { type: 'stopped' });
  }

  async #stop(stream: Stream | undefined): Promise<void> {
    if (!stream) return;
    stream.isStopped = true;
    try {
      await stream.iterator?.return?.();
    } catch (cause) {
      this.#served.onError({ error: getTRPCErrorFromUnknown(cause), path: stream.path });
    }
  }

  #say(head: string, result: object): void {
    this.#socket.say(answer(head, result));
  }

  #refuse(head: string, cause: unknown, path?: string): void {
    const error = getTRPCErrorFromUnknown(cause);
    this.#served.onError({ error, path });
    this.#socket.say(`${head},"error":${JSON.stringify(toWireError(error))}}`);
  }
}

/** What a subscription resumes at belongs to its input. */
function inputOf({ params: { input, lastEventId } }: Request): unknown {
  if (lastEventId === undefined) return input;
  return isObject(input) ? { ...input, lastEventId } : (input ?? { lastEventId });
}

function dataOf(value: unknown): object {
  if (!isTrackedEnvelope(value)) return { type: 'data', data: value };
  const [id, data] = value;
  return { type: 'data', data: { id, data }, id };
}
