/** What every bus keeps to, seen from one node that has others beside it, or none. */
import { expect, test } from 'vitest';
import type { FeedEvent } from '#protocol/event';
import type { Bus, BusMessage } from '#server/bus/bus';

export const live: FeedEvent = { type: 'live' };
export const events = (conversationId: string, ...versions: number[]): BusMessage => ({
  kind: 'events',
  conversationId,
  events: versions.map((version) => ({ version, event: live })),
});
export const versionsIn = (messages: BusMessage[]) =>
  messages.flatMap((message) => (message.kind === 'events' ? message.events.map(({ version }) => version) : []));
export const joining = (conversationId: string, userId: string, version: number): BusMessage => ({
  kind: 'events',
  conversationId,
  events: [
    { version, event: { type: 'participant', conversationId, userId, participant: null, removed: false, version } },
  ],
});

/** @param open a bus for each test; whoever listens may be on another node than who publishes */
export function busContract(open: () => Promise<{ here: Bus; there: Bus } & AsyncDisposable>): void {
  test('whoever listens to a channel hears what is published on it, once and in order, and nobody else does', async () => {
    await using system = await open();
    const heard: BusMessage[] = [];
    system.there.subscribe('c:a', (message) => heard.push(message));
    system.there.subscribe('c:b', () => expect.fail('of another conversation'));
    await system.there.settled();
    for (let version = 1; version <= 200; version++) system.here.publish(events('a', version));
    await expect.poll(() => heard.length).toBe(200);
    expect(versionsIn(heard)).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
  });

  test('what is delivered stays on the node; observers see everything that it hears, before the channels do', async () => {
    await using system = await open();
    const order: string[] = [];
    system.here.observe((message) => order.push(`observer ${message.kind}`));
    system.here.subscribe('c:a', (message) => order.push(`channel ${message.kind}`));
    system.here.deliver(events('a', 1));
    expect(order).toEqual(['observer events', 'channel events']);
  });

  test('[P22] who joins by a message hears it on the conversation as well, whichever node he is on', async () => {
    await using system = await open();
    const heard: string[] = [];
    system.there.subscribe('u:ann', () => {
      heard.push('own');
      system.there.subscribe('c:a', () => heard.push('conversation'));
    });
    await system.there.settled();
    system.here.publish(joining('a', 'ann', 1));
    await expect.poll(() => heard).toEqual(['own', 'conversation']);
  });

  test('a handler that throws does not keep the message from the others; who left hears nothing more', async () => {
    await using system = await open();
    let heard = 0;
    system.there.subscribe('c:a', () => {
      throw new Error('a broken handler');
    });
    const leave = system.there.subscribe('c:a', () => heard++);
    await system.there.settled();
    system.here.publish(events('a', 1));
    await expect.poll(() => heard).toBe(1);
    expect(system.there.listened('c:')).toEqual(['a']);
    leave();
    system.here.publish(events('a', 2));
    system.here.publish({ kind: 'revoked', sessionIds: ['s'] });
    expect(heard).toBe(1);
    expect(['c:a', 'c:b'].map((channel) => system.there.listeners(channel))).toEqual([1, 0]);
  });
}
