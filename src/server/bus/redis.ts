/**
 * The bus of several nodes. Listeners on this node are called at once, without asking Redis; the others hear of it through
 * pub/sub, in one publish per channel and tick. While Redis is away nothing is kept for later: the feed's rounds find it.
 */
import { randomUUID } from 'node:crypto';
import type { Logger } from '../observe/log.ts';
import type { RedisLink } from '../redis.ts';
import { type Bus, type BusMessage, channelsOf } from './bus.ts';
import { EVERYBODY, open, redisChannel, seal } from './envelope.ts';
import { Handlers } from './handlers.ts';
import { InOrder } from './in-order.ts';
import { Shards } from './shards.ts';
import { Subscriptions } from './subscriptions.ts';

/** Sent and not yet taken by Redis; beyond it, it is dropped. A Redis that hangs must not cost memory. */
const MAX_UNTAKEN = 16 * 1024 * 1024;
/** For the first connection. */
const START_MS = 2_000;
const LOOK_MS = 10;
/** Of one publish. */
const MAX_TEXT = 1024 * 1024;

/** Resolves once it hears the others, or at once when Redis is away. */
export async function createRedisBus(redis: RedisLink, log: Logger): Promise<Bus> {
  const self = randomUUID();
  const handlers = new Handlers(log, (channel) => {
    if (channel.startsWith('c:') && !handlers.has(channel)) inOrder.forget(channel.slice(2));
    if (ofItsOwn(channel)) subscriptions.touch(redisChannel(channel));
  });
  const inOrder = new InOrder((message) => handlers.deliver(message));
  const options = {
    isWanted: (name: string) => name === redisChannel(EVERYBODY) || handlers.has(name.slice(redisChannel('').length)),
    onText: (text: string) => hear(text),
  };
  const subscriptions = redis.isCluster
    ? new Shards(redis, options)
    : new Subscriptions(redis.subscriber(), { ...options, isSharded: false });
  subscriptions.touch(redisChannel(EVERYBODY));

  /** @param isLate whether something from before it may still be on its way */
  function give(message: BusMessage, isLate: boolean): void {
    if (message.kind !== 'events') return handlers.deliver(message);
    const isHeard = () => handlers.has(`c:${message.conversationId}`);
    if (isHeard()) return isLate ? inOrder.take(message) : inOrder.force(message);
    handlers.deliver(message);
    // Somebody was added by it: his first message must not come before one that is still on its way.
    if (isHeard()) inOrder.begin(message);
  }

  function hear(text: string): void {
    const heard = open(text);
    if (!heard) return log.warn('something that is no message came through Redis');
    if (heard.from !== self) for (const message of heard.messages) give(message, true);
  }

  for (let waited = 0; redis.isUp && !subscriptions.isUp && waited < START_MS; waited += LOOK_MS)
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  await subscriptions.settled();

  let outbox = new Map<string, string[]>();
  let untaken = 0;

  function send(): void {
    const batch: [string, string][] = [];
    for (const [channel, messages] of outbox)
      for (const part of parts(messages)) batch.push([channel, seal(self, part)]);
    outbox = new Map();
    const size = batch.reduce((sum, [, text]) => sum + text.length, 0);
    if (redis.publisher.status !== 'ready' || untaken + size > MAX_UNTAKEN) return;
    untaken += size;
    const taken = () => {
      untaken -= size;
    };
    publishAll(redis, batch).then(taken, taken);
  }

  return {
    isShared: true,
    publish(message) {
      give(message, subscriptions.isUp);
      if (redis.publisher.status !== 'ready') return;
      const channels = channelsOf(message);
      const [only] = channels;
      const channel = redisChannel(only !== undefined && channels.length === 1 && ofItsOwn(only) ? only : EVERYBODY);
      const waiting = outbox.get(channel);
      if (outbox.size === 0) setImmediate(send);
      if (waiting) waiting.push(JSON.stringify(message));
      else outbox.set(channel, [JSON.stringify(message)]);
    },
    deliver: (message) => give(message, false),
    subscribe: (channel, handler) => handlers.subscribe(channel, handler),
    unsubscribe: (channel, handler) => handlers.unsubscribe(channel, handler),
    begin: (conversationId, version) => inOrder.expect(conversationId, version + 1),
    observe: (handler) => handlers.observe(handler),
    listeners: (channel) => handlers.listeners(channel),
    listened: (prefix) => handlers.listened(prefix),
    settled: () => subscriptions.settled(),
    async close() {
      if (outbox.size > 0) send();
      subscriptions.close();
      inOrder.clear();
      handlers.clear();
    },
  };
}

/** Channels with many messages for few nodes; the rest is rare, and goes to everybody. */
const ofItsOwn = (channel: string) => channel.startsWith('c:') || channel.startsWith('p:');

function* parts(messages: readonly string[]): Generator<string[]> {
  let part: string[] = [];
  let size = 0;
  for (const message of messages) {
    if (size > 0 && size + message.length > MAX_TEXT) {
      yield part;
      part = [];
      size = 0;
    }
    part.push(message);
    size += message.length;
  }
  yield part;
}

function publishAll({ publisher, isCluster }: RedisLink, batch: readonly [string, string][]): Promise<unknown> {
  // The client spreads these over the shards, one pipeline for each.
  if (isCluster) return Promise.all(batch.map(([channel, text]) => publisher.spublish(channel, text)));
  const pipeline = publisher.pipeline();
  for (const [channel, text] of batch) pipeline.publish(channel, text);
  return pipeline.exec();
}
