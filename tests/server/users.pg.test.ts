/** People: finding them, and hearing of their new names. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FeedEvent } from '#protocol/event';
import { newDirect, newUser, type Person } from '../harness/people.ts';
import { refusal } from '../harness/program.ts';
import { newServer, type TestServer } from '../harness/server.ts';

let server: TestServer;
let me: Person;
let you: Person;
beforeAll(async () => {
  server = await newServer();
  [me, you] = [await newUser(server, 'margaret'), await newUser(server, 'dorothy')];
});
afterAll(() => server[Symbol.asyncDispose]());

const search = async (query: string, limit?: number) =>
  (await me.api.users.search.query({ query, ...(limit ? { limit } : {}) })).map(({ displayName }) => displayName);

describe('users', () => {
  test('search finds the beginning and the middle of names, in any case', async () => {
    expect(await search('DORO')).toEqual(['dorothy']);
    expect(await search('othy')).toEqual(['dorothy']);
    expect(await search('garet-')).toEqual(['margaret']);
    expect(await search('nobody')).toEqual([]);
    await Promise.all(Array.from({ length: 5 }, () => newUser(server, 'many')));
    expect(await search('many', 3)).toHaveLength(3);
  });

  test('[P26] signs of the pattern language mean themselves', async () => {
    for (const sign of ['%', '_', '\\', '%%%', "'"]) expect(await search(sign)).toEqual([]);
  });

  test('[P25] e-mail addresses are neither searched nor shown', async () => {
    expect(await search('example.org')).toEqual([]);
    const [found] = await me.api.users.byIds.query({ userIds: [you.userId] });
    expect(Object.keys(found ?? {}).sort()).toEqual(['avatarUrl', 'displayName', 'id', 'username']);
  });

  test('byIds keeps the order and leaves out whom there is not', async () => {
    const userIds = [you.userId, crypto.randomUUID(), me.userId, you.userId];
    expect((await me.api.users.byIds.query({ userIds })).map(({ id }) => id)).toEqual([you.userId, me.userId]);
    const tooMany = await refusal(me.api.users.byIds.query({ userIds: Array(101).fill(me.userId) }));
    expect(tooMany).toMatchObject({ code: 'BAD_REQUEST', limit: 100 });
  });

  test('[P13] a new name reaches the people of my conversations through their feeds', async () => {
    const room = await newDirect(me, you);
    const events: FeedEvent[] = [];
    const subscription = you.api.feed.follow.subscribe(undefined, {
      onData: ({ data }) => void events.push(data),
    });
    await expect.poll(() => events.some(({ type }) => type === 'live')).toBe(true);
    const before = await you.api.conversations.get.query({ conversationId: room.id });
    const updated = await me.api.users.update.mutate({
      displayName: 'Margaret H.',
      avatarUrl: 'https://example.org/m.png',
    });
    expect(updated).toMatchObject({ displayName: 'Margaret H.', email: expect.stringContaining('@') });
    await expect.poll(() => events.find(({ type }) => type === 'participant')).toBeDefined();
    subscription.unsubscribe();
    const event = events.find((found) => found.type === 'participant');
    const after = await you.api.conversations.get.query({ conversationId: room.id });
    const rest = before.participants.filter(({ user }) => user.id !== me.userId);
    expect(event).toMatchObject({ conversationId: room.id, userId: me.userId, removed: false });
    expect(after.participants).toEqual(expect.arrayContaining([...rest, event?.participant]));
    expect((await me.api.users.update.mutate({ avatarUrl: null })).avatarUrl).toBeNull();
  });
});
