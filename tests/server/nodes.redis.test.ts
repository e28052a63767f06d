/** Two servers with one database and one Redis are one system, also while Redis is away. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FeedEvent } from '#protocol/event';
import { follow, followLive, messagesIn, sleep, watchPresence, watchReceipts, watchTyping } from '../harness/follow.ts';
import { newNodes, type Nodes } from '../harness/nodes.ts';
import { draft, draftEpoch, newGroup, newUser, op, type Person, type Room, send } from '../harness/people.ts';
import { newProgram, refusal } from '../harness/program.ts';
import { newRedis, type TestRedis } from '../harness/redis.ts';
import type { TestServer } from '../harness/server.ts';

let redis: TestRedis;
let nodes: Nodes;
/** Ann and cyd are on the first node, bob is on the second. */
let ann: Person;
let bob: Person;
let cyd: Person;
let room: Room;

const on = (index: number): TestServer => {
  const server = nodes.all[index];
  if (!server) throw new Error('no such node');
  return server;
};

beforeAll(async () => {
  redis = await newRedis();
  nodes = await newNodes(redis.url, 2);
  const [a, b] = [on(0), on(1)];
  [ann, bob, cyd] = await Promise.all([newUser(a, 'ann'), newUser(b, 'bob'), newUser(a, 'cyd')]);
});
beforeEach(async () => {
  room = await newGroup(ann, [bob]);
});
afterAll(async () => {
  for (const person of [ann, bob, cyd]) await person[Symbol.asyncDispose]();
  await nodes[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
});

const ofRoom = (feed: ReturnType<typeof follow>) =>
  messagesIn(feed.items).filter(({ conversationId }) => conversationId === room.id);

async function add(person: Person, to: Room): Promise<void> {
  const people = [...to.people, person];
  const { authored, epoch } = await draftEpoch(ann, people, { kind: 'ratchet', ops: [op.add(person)] }, to);
  await ann.api.conversations.addParticipant.mutate({ conversationId: to.id, userId: person.userId, epoch });
  Object.assign(to, { epoch: authored, people });
}
async function remove(person: Person, from: Room): Promise<void> {
  const people = from.people.filter((one) => one !== person);
  const { authored, epoch } = await draftEpoch(ann, people, { kind: 'rotate', ops: [op.remove(person)] }, from);
  await ann.api.conversations.removeParticipant.mutate({ conversationId: from.id, userId: person.userId, epoch });
  Object.assign(from, { epoch: authored, people });
}

const isRemovalOf = (person: Person) => (event: FeedEvent) =>
  event.type === 'participant' && event.removed && event.userId === person.userId;

describe('two nodes', () => {
  test('[P6][N2] both write at once: live everywhere, once, in the order of seq', async () => {
    using atAnn = await followLive(ann);
    using atBob = await followLive(bob);
    const [hers, his] = await Promise.all([
      Promise.all(Array.from({ length: 100 }, (_, i) => draft(ann, room, `a${i}`))),
      Promise.all(Array.from({ length: 100 }, (_, i) => draft(bob, room, `b${i}`))),
    ]);
    const write = async (person: Person, drafts: typeof hers) => {
      for (let i = 0; i < drafts.length; i += 10)
        await Promise.all(drafts.slice(i, i + 10).map((input) => person.api.messages.send.mutate(input)));
    };
    await Promise.all([write(ann, hers), write(bob, his)]);
    const all = Array.from({ length: 200 }, (_, i) => i + 1);
    for (const feed of [atAnn, atBob]) {
      await expect.poll(() => ofRoom(feed).length).toBeGreaterThanOrEqual(200);
      expect(ofRoom(feed).map(({ seq }) => seq)).toEqual(all);
    }
  });

  test('typing, receipts and presence cross over', async () => {
    using typing = watchTyping(bob, room.id);
    using receipts = watchReceipts(bob);
    using presence = watchPresence(bob, [ann.userId]);
    await presence.until(({ userId }) => userId === ann.userId);
    await sleep(200);
    await ann.ws.typing.set.mutate({ conversationId: room.id, isTyping: true });
    await typing.until(({ userId, isTyping }) => userId === ann.userId && isTyping);
    const { seq } = await send(bob, room, 'read me');
    await ann.ws.receipts.advance.mutate({ conversationId: room.id, readSeq: seq });
    await receipts.until(({ userId, readSeq }) => userId === ann.userId && readSeq === seq);
    await presence.until(({ status }) => status === 'online');
    const [shown] = await bob.api.presence.get.query({ userIds: [ann.userId] });
    expect(shown).toEqual({ userId: ann.userId, status: 'online', lastSeenAt: null });
    await ann.api.presence.set.mutate({ status: 'away' });
    await presence.until(({ status }) => status === 'away');
    await ann.api.presence.set.mutate({ status: 'online' });
  });

  test('[G2] typing on one node and then on another: a stop is told at once, a refresh keeps it up, its end is told once', async () => {
    await using elsewhere = newProgram(on(1), { token: ann.token });
    using typing = watchTyping(bob, room.id);
    const told = () => typing.items.map(({ isTyping }) => isTyping);
    const set = (program: typeof elsewhere, isTyping: boolean) =>
      program.api.typing.set.mutate({ conversationId: room.id, isTyping });
    await sleep(200);
    await set(ann, true);
    await expect.poll(told).toEqual([true]);
    await set(elsewhere, false);
    await expect.poll(told).toEqual([true, false]);
    await set(ann, true);
    await expect.poll(told).toEqual([true, false, true]);
    await sleep(200);
    await set(elsewhere, true);
    await expect.poll(() => told().length).toBe(5);
    await sleep(500);
    expect(told()).toEqual([true, false, true, true, false]);
  });

  test('[P8][N1] a cursor of one node is resumed on the other', async () => {
    const first = await followLive(bob);
    await send(ann, room, 'seen');
    await first.until((event) => event.type === 'message');
    first[Symbol.dispose]();
    const missed = await send(ann, room, 'missed');
    await using elsewhere = newProgram(on(0), { token: bob.token });
    using again = await followLive(elsewhere, first.ids.at(-1));
    expect(ofRoom(again).map(({ id }) => id)).toContain(missed.id);
    const next = await send(bob, room, 'live');
    await again.until((event) => event.type === 'message' && event.message.id === next.id);
  });

  test('[P22][N4] who is added hears from then on, who is removed hears one last event, whatever node did it', async () => {
    await using atB = newProgram(on(1), { token: cyd.token });
    using feed = await followLive(atB);
    await add(cyd, room);
    await feed.until((event) => event.type === 'conversation' && event.conversation.id === room.id);
    const welcome = await send(ann, room, 'welcome');
    await feed.until((event) => event.type === 'message' && event.message.id === welcome.id);
    await remove(cyd, room);
    const last = await feed.until(isRemovalOf(cyd));
    await send(ann, room, 'about cyd');
    await sleep(1_500);
    expect(feed.items.at(-1)).toBe(last);
  });

  test('[P23][N4] a session that ends on one node ends its sockets on the other', async () => {
    const dan = await newUser(on(1), 'dan');
    using feed = await followLive(dan);
    await using atA = newProgram(on(0), { token: dan.token });
    await atA.api.auth.logout.mutate({});
    await expect.poll(() => on(1).deps.revocations.has(dan.sessionId)).toBe(true);
    expect((await refusal(dan.api.users.me.query())).reason).toBe('session_revoked');
    const before = feed.items.length;
    await sleep(100);
    expect(feed.items).toHaveLength(before);
    await dan[Symbol.asyncDispose]();
  });
});

describe('Redis is away', () => {
  beforeEach(() => redis.kill());
  afterEach(() => redis.start());

  test('[P15][N3] sends succeed at once, the other node delivers from the database, who is added there hears of it', async () => {
    await redis.start();
    await using atB = newProgram(on(1), { token: cyd.token });
    using feed = await followLive(bob);
    using hers = await followLive(atB);
    await redis.kill();
    const sent = await Promise.all(Array.from({ length: 20 }, (_, i) => send(ann, room, `m${i}`)));
    const own = await send(bob, room, 'from the other node');
    await feed.until((event) => event.type === 'message' && event.message.id === own.id);
    await expect.poll(() => new Set(ofRoom(feed).map(({ id }) => id)).size).toBe(21);
    await add(cyd, room);
    await hers.until((event) => event.type === 'conversation' && event.conversation.id === room.id);
    const welcome = await send(ann, room, 'welcome');
    await hers.until((event) => event.type === 'message' && event.message.id === welcome.id);
    await remove(cyd, room);
    await hers.until(isRemovalOf(cyd));
    expect(sent.map(({ seq }) => seq).sort((x, y) => x - y)).toEqual(sent.map((_, i) => i + 1));
  });

  test('[P7][P9] whoever begins to follow while it is away misses nothing either', async () => {
    for (let round = 0; round < 5; round++) {
      await using program = newProgram(on(1), { token: bob.token });
      using feed = follow(program);
      await feed.until(({ type }) => type === 'live');
      const first = await send(ann, room, `first ${round}`);
      await feed.until((event) => event.type === 'message' && event.message.id === first.id);
    }
  });

  test('what somebody hides meanwhile is hidden on the other node too', async () => {
    using feed = await followLive(bob);
    await using atA = newProgram(on(0), { token: bob.token });
    await atA.api.users.update.mutate({ privacy: { typing: false } });
    await expect.poll(() => on(1).deps.audience.privacyOf(bob.userId)?.typing).toBe(false);
    await atA.api.users.update.mutate({ privacy: { typing: true } });
    await expect.poll(() => on(1).deps.audience.privacyOf(bob.userId)?.typing).toBe(true);
    expect(feed.items.length).toBeGreaterThan(0);
  });

  test('[P23][N4] a session ended meanwhile is known to the other node within a moment', async () => {
    const dan = await newUser(on(1), 'dan');
    await dan.ws.users.me.query();
    await using atA = newProgram(on(0), { token: dan.token });
    await atA.api.auth.logout.mutate({});
    await expect.poll(() => on(1).deps.revocations.has(dan.sessionId)).toBe(true);
    await dan[Symbol.asyncDispose]();
  });

  test('[P15][N3] back, the way between the nodes is short again; presence knows who is there', async () => {
    using feed = await followLive(bob);
    using presence = watchPresence(bob, [ann.userId]);
    using hers = await followLive(ann);
    await redis.start();
    // Without Redis it is a second. How soon it is back is measured by the fault tests.
    await expect
      .poll(async () => {
        const { id } = await send(ann, room, 'soon?');
        const sent = Date.now();
        await feed.until((event) => event.type === 'message' && event.message.id === id);
        return Date.now() - sent < 200;
      })
      .toBe(true);
    await presence.until(({ userId, status }) => userId === ann.userId && status === 'online');
    await expect
      .poll(async () => (await bob.api.presence.get.query({ userIds: [ann.userId] }))[0]?.status)
      .toBe('online');
    expect(ofRoom(hers).length).toBeGreaterThan(0);
  });

  test('a process starts without it, is ready, says so in its metrics, and joins when it comes', {
    timeout: 60_000,
  }, async () => {
    const late = await nodes.add();
    expect((await fetch(`${late.url}/readyz`)).status).toBe(200);
    const isUp = async () => /^parley_redis_up (\d)/m.exec(await (await fetch(`${late.url}/metrics`)).text())?.[1];
    expect(await isUp()).toBe('0');
    await redis.start();
    await expect.poll(isUp).toBe('1');
  });
});
