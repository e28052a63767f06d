/** What one tick says of messages is published together, and nothing overtakes it. */
import { expect, test } from 'vitest';
import type { BusMessage } from '#server/bus/bus';
import { gathering } from '#server/bus/gathering';
import { createMemoryBus } from '#server/bus/memory';
import { createLog } from '#server/observe/log';

function said(conversationId: string, version: number, characters = 4): BusMessage & { kind: 'events' } {
  const event = { type: 'message', message: { contentEncrypted: 'x'.repeat(characters) } };
  return { kind: 'events', conversationId, events: [{ version, event: event as never }] };
}
const removed = (conversationId: string, version: number): BusMessage => {
  const event = {
    type: 'participant' as const,
    conversationId,
    userId: 'u',
    participant: null,
    removed: true,
    version,
  };
  return { kind: 'events', conversationId, events: [{ version, event }] };
};

async function heardOf(messages: BusMessage[]): Promise<string[]> {
  const bus = gathering(createMemoryBus(createLog({ level: 'silent' })), () => true);
  const heard: string[] = [];
  bus.observe((message) => {
    if (message.kind === 'events')
      heard.push(`${message.conversationId}${message.events.map(({ version }) => version).join()}`);
    else heard.push(message.kind);
  });
  for (const message of messages) bus.publish(message);
  await Promise.resolve();
  await bus.close();
  return heard;
}

test('[P5] messages of one tick are told together by conversation, in their order', async () => {
  const all = [said('a', 1), said('b', 1), said('a', 2), said('a', 3), said('b', 2)];
  expect(await heardOf(all)).toEqual(['a1,2,3', 'b1,2']);
});

test('[P22] what is told of people, sessions or anything else comes after the messages before it', async () => {
  const all = [
    said('a', 1),
    said('a', 2),
    removed('a', 3),
    said('a', 4),
    { kind: 'revoked', sessionIds: ['s'] } as const,
  ];
  expect(await heardOf(all)).toEqual(['a1,2', 'a3', 'a4', 'revoked']);
});

test('many large ones go in several', async () => {
  const all = Array.from({ length: 12 }, (_, i) => said('a', i + 1, 40_000));
  expect(await heardOf(all)).toEqual(['a1,2,3,4,5,6,7', 'a8,9,10,11,12']);
});

test('what was gathered is told before the bus closes', async () => {
  const bus = gathering(createMemoryBus(createLog({ level: 'silent' })), () => false);
  const heard: unknown[] = [];
  bus.observe((message) => heard.push(message));
  bus.publish(said('a', 1));
  await bus.close();
  expect(heard).toHaveLength(1);
});

test('[P5] what many hear waits for the message behind it, a moment at most, and nothing overtakes it', async () => {
  let isFollowed = true;
  const bus = gathering(createMemoryBus(createLog({ level: 'silent' })), () => isFollowed);
  const heard: string[] = [];
  bus.observe((message) => {
    if (message.kind !== 'events') return void heard.push(message.kind);
    heard.push(`${message.conversationId}${message.events.map(({ version }) => version).join()}`);
  });
  for (let i = 0; i < 100; i++) bus.subscribe('c:many', () => {});
  bus.subscribe('c:few', () => {});
  const tick = () => Promise.resolve();

  bus.publish(said('many', 1));
  bus.publish(said('few', 1));
  await tick();
  expect(heard).toEqual(['few1']);
  isFollowed = false;
  bus.publish(said('many', 2));
  await tick();
  expect(heard).toEqual(['few1', 'many1,2']);

  isFollowed = true;
  bus.publish(said('many', 3));
  await tick();
  bus.publish(removed('many', 4));
  expect(heard.slice(2)).toEqual(['many3', 'many4']);

  bus.publish(said('many', 5));
  await tick();
  expect(heard).toHaveLength(4);
  await expect.poll(() => heard.slice(4)).toEqual(['many5']);

  // What another node has written lies between.
  bus.publish(said('many', 6));
  await tick();
  bus.publish(said('many', 8));
  expect(heard.slice(5)).toEqual(['many6']);
  await expect.poll(() => heard.slice(5)).toEqual(['many6', 'many8']);
  await bus.close();
});
