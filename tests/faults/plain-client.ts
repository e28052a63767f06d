/**
 * A client that knows only the contract: writes and follows through the balancer, repeats blindly what had no answer (P4),
 * resumes with the last id it was given. `naive` leaves both protections out: the control that must fail.
 */
import { createTRPCClient, createWSClient, httpLink, TRPCClientError, wsLink } from '@trpc/client';
import { uuidv7 } from 'uuidv7';
import WebSocket from 'ws';
import type { FeedEvent } from '#protocol/event';
import type { AppRouter } from '#server/router';
import { type Home, type Person, type Room, seal } from '../harness/people.ts';
import type { Random } from '../harness/random.ts';
import { type History, Seen } from './history.ts';

const CALL_MS = 4_000;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const REFUSED = ['BAD_REQUEST', 'UNAUTHORIZED', 'FORBIDDEN', 'NOT_FOUND', 'CONFLICT'];
/** Refused for good: the server was there and said so. Anything else may have happened or not, and is repeated. */
const isRefusal = (error: unknown) =>
  error instanceof TRPCClientError && REFUSED.includes(String((error as { data?: { code?: string } }).data?.code));

export interface PlainClient extends AsyncDisposable {
  readonly person: Person;
  readonly seen: Seen;
  /** Resolves once it follows for the first time. */
  readonly live: Promise<void>;
  /** Acts at random until told to stop; resolves when the last call is settled. */
  write(rooms: readonly Room[], pauseMs: number): Promise<void>;
  stop(): void;
}

export interface PlainOptions {
  readonly home: Home;
  readonly person: Person;
  readonly random: Random;
  readonly history: History;
  readonly naive: boolean;
}

export function newPlainClient({ home, person, random, history, naive }: PlainOptions): PlainClient {
  const seen = new Seen();
  let stopped = false;
  let isLive = () => {};
  const hasBegun = new Promise<void>((done) => {
    isLive = done;
  });
  const socket = createWSClient({
    url: home.wsUrl,
    WebSocket: WebSocket as unknown as typeof globalThis.WebSocket,
    connectionParams: () => ({ token: person.token ?? '' }),
    retryDelayMs: () => 200 + random.below(800),
    keepAlive: { enabled: true, intervalMs: 2_000, pongTimeoutMs: 1_500 },
  });
  const live = createTRPCClient<AppRouter>({ links: [wsLink<AppRouter>({ client: socket })] });
  const headers = { authorization: `Bearer ${person.token}` };
  const calls = createTRPCClient<AppRouter>({ links: [httpLink({ url: `${home.url}/trpc`, headers })] });

  let lastEventId: string | undefined;
  let subscription: { unsubscribe(): void } | undefined;
  function follow(): void {
    if (stopped) return;
    const again = () => void pause(300 + random.below(500)).then(follow);
    subscription = live.feed.follow.subscribe(
      { lastEventId },
      {
        onData: (event) => hear(event as { id: string; data: FeedEvent }),
        onError: again,
        onComplete: again,
      },
    );
  }
  function hear({ id, data }: { id: string; data: FeedEvent }): void {
    lastEventId = id;
    if (data.type === 'live') isLive();
    if (data.type === 'message') seen.apply(data.message);
    if (data.type === 'resync') {
      seen.resyncs += 1;
      void refetch();
    }
  }

  /** A resync says: start again from the queries. */
  async function refetch(): Promise<void> {
    const { conversations } = await insist(() => calls.conversations.list.query({ limit: 100 }));
    for (const { id } of conversations) {
      for (let cursor: string | null | undefined; cursor !== null; ) {
        const input: { conversationId: string; limit: number; cursor?: string } = { conversationId: id, limit: 100 };
        if (cursor) input.cursor = cursor;
        const { messages, nextCursor } = await insist(() => calls.messages.list.query(input));
        for (const message of messages) seen.apply(message);
        cursor = nextCursor;
      }
    }
  }

  /** The same call, byte for byte, until it is answered. */
  async function insist<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        history.calls += 1;
        return await call(AbortSignal.timeout(CALL_MS));
      } catch (error) {
        if (isRefusal(error) || attempt > 60) throw error;
        history.retries += 1;
        await pause(100 + random.below(400));
      }
    }
  }

  const mine: { room: Room; id: string; revision: number; deleted: boolean }[] = [];

  async function send(room: Room): Promise<void> {
    const body = `${person.username} ${mine.length} ${'.'.repeat(random.below(200))}`;
    const compose = async (id: string) => {
      const contentEncrypted = await seal(person, room, { t: 'text', body }, { messageId: id });
      history.attempt(id, room.id, person.userId, contentEncrypted);
      return { id, conversationId: room.id, contentEncrypted, keyEpoch: room.epoch.state.record.epoch };
    };
    let input = await compose(uuidv7());
    const stored = await insist(async (signal) => {
      // The control makes a new message of each try, as clients without ids of their own do.
      if (naive) input = await compose(uuidv7());
      return calls.messages.send.mutate(input, { signal });
    });
    history.acknowledge(stored);
    mine.push({ room, id: stored.id, revision: 0, deleted: false });
  }

  async function revise(kind: 'edit' | 'delete'): Promise<void> {
    const one = mine[random.below(mine.length)];
    if (!one || one.deleted) return;
    const { room, id } = one;
    const revision = one.revision + 1;
    const payload = kind === 'edit' ? ({ t: 'text', body: `edited ${revision}` } as const) : {};
    const contentEncrypted = await seal(person, room, payload, { type: kind, messageId: id, revision });
    const attempted = history.attempt(id, room.id, person.userId, contentEncrypted);
    attempted.isOpen = true;
    const keyEpoch = room.epoch.state.record.epoch;
    await insist<unknown>((signal) =>
      kind === 'edit'
        ? calls.messages.edit.mutate({ messageId: id, contentEncrypted, keyEpoch }, { signal })
        : calls.messages.delete.mutate({ messageId: id, contentEncrypted }, { signal }),
    );
    attempted.isOpen = false;
    one.revision = revision;
    one.deleted = kind === 'delete';
  }

  if (naive) {
    // Listens anew after each loss, and is told nothing of what was in between.
    let connected = false;
    socket.connectionState.subscribe({
      next({ state }) {
        if (state === 'connecting' && connected) {
          subscription?.unsubscribe();
          lastEventId = undefined;
          setTimeout(follow);
        }
        connected = state === 'pending';
      },
    });
  }
  follow();

  return {
    person,
    seen,
    live: hasBegun,
    async write(rooms, pauseMs) {
      while (!stopped) {
        const room = rooms[random.below(rooms.length)];
        const dice = random.below(100);
        if (room && (dice < 75 || mine.length === 0)) await send(room);
        else if (dice < 92) await revise('edit');
        else await revise('delete');
        await pause(random.below(2 * pauseMs));
      }
    },
    stop: () => {
      stopped = true;
    },
    async [Symbol.asyncDispose]() {
      stopped = true;
      subscription?.unsubscribe();
      void socket.close();
      socket.connection?.ws?.close();
      await person[Symbol.asyncDispose]();
    },
  };
}
