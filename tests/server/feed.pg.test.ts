/** feed.follow: from any id ever given, on this node, after any time: everything missed, in order, then live. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { follow, followLive, messagesIn, sleep, watchPresence, watchReceipts } from '../harness/follow.ts';
import {
  draft,
  draftEpoch,
  edit,
  newDirect,
  newGroup,
  newUser,
  op,
  type Person,
  react,
  remove,
  type Room,
  send,
} from '../harness/people.ts';
import { newProgram } from '../harness/program.ts';
import { newServer, type TestServer } from '../harness/server.ts';

let server: TestServer;
let ann: Person;
let bob: Person;
let cyd: Person;
let room: Room;

beforeAll(async () => {
  server = await newServer();
  [ann, bob, cyd] = await Promise.all([newUser(server, 'ann'), newUser(server, 'bob'), newUser(server, 'cyd')]);
});
beforeEach(async () => {
  room = await newGroup(ann, [bob]);
});
afterAll(async () => {
  for (const person of [ann, bob, cyd]) await person[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const inRoom = (id: string) => (message: { conversationId: string }) => message.conversationId === id;

describe('live', () => {
  test('[R2][R3] without an id the first yield is live with an id; then new, edited, reacted, deleted as they happen', async () => {
    using feed = await followLive(bob);
    expect(feed.items[0]).toEqual({ type: 'live' });
    expect(feed.ids[0]).toMatch(/.+/);
    const sent = await send(ann, room, 'hello');
    const edited = await edit(ann, room, sent.id, 'hello!');
    await react(bob, room, sent.id, '👋');
    await remove(ann, room, sent.id, 2);
    await feed.until((event) => event.type === 'message' && event.message.isDeleted);
    const seen = messagesIn(feed.items).filter(inRoom(room.id));
    expect(seen.map(({ version }) => version)).toEqual(
      [...new Set(seen.map(({ version }) => version))].sort((a, b) => a - b),
    );
    expect(seen.map(({ isEdited, isDeleted, reactions }) => [isEdited, isDeleted, reactions.length])).toEqual([
      [false, false, 0],
      [true, false, 0],
      [true, false, 1],
      [true, true, 0],
    ]);
    expect(seen[1]?.contentEncrypted).toBe(edited.contentEncrypted);
    expect(seen[2]?.reactions[0]).not.toHaveProperty('mine');
    expect(feed.ids.every((id) => id.length > 0)).toBe(true);
  });

  test('[R3] the last one left while the node looked for what it had missed: who comes later hears nothing from before', async () => {
    const { hub } = server.deps;
    await expect.poll(() => hub.snapshot).toBeUndefined();
    const leave = hub.enter();
    await hub.advance();
    const round = hub.advance();
    leave();
    await round;
    await send(ann, room, 'before');
    using feed = await followLive(bob);
    await hub.advance();
    const { id } = await send(ann, room, 'after');
    await feed.until((event) => event.type === 'message' && event.message.id === id);
    expect(messagesIn(feed.items).map((message) => message.id)).toEqual([id]);
  });

  test('[P22][R7] who is added gets the conversation, who is removed gets one last event and nothing more', async () => {
    using feed = await followLive(cyd);
    const all = [...room.people, cyd];
    const { authored, epoch } = await draftEpoch(ann, all, { kind: 'ratchet', ops: [op.add(cyd)] }, room);
    await ann.api.conversations.addParticipant.mutate({ conversationId: room.id, userId: cyd.userId, epoch });
    room.epoch = authored;
    const added = await feed.until((event) => event.type === 'conversation' && event.conversation.id === room.id);
    expect(added.type === 'conversation' && added.conversation.participants).toHaveLength(3);
    await feed.until((event) => event.type === 'keys' && event.conversationId === room.id);
    await send(ann, room, 'welcome');
    await feed.until((event) => event.type === 'message');
    const out = await draftEpoch(ann, [ann, bob], { kind: 'rotate', ops: [op.remove(cyd)] }, room);
    const input = { conversationId: room.id, userId: cyd.userId, epoch: out.epoch };
    await ann.api.conversations.removeParticipant.mutate(input);
    room.epoch = out.authored;
    const last = await feed.until((event) => event.type === 'participant' && event.removed);
    expect(last).toMatchObject({ userId: cyd.userId, participant: null });
    await send(ann, room, 'about cyd');
    await sleep(1_200);
    expect(feed.items.at(-1)).toBe(last);
  });

  test('[R7] who leaves by himself is told once, and not again when the others change the key', async () => {
    const group = await newGroup(ann, [bob, cyd]);
    using feed = await followLive(cyd);
    await cyd.api.conversations.removeParticipant.mutate({ conversationId: group.id, userId: cyd.userId });
    await feed.until((event) => event.type === 'participant' && event.removed);
    const { authored, epoch } = await draftEpoch(ann, [ann, bob], { kind: 'rotate', ops: [op.remove(cyd)] }, group);
    await ann.api.keys.rotate.mutate({ conversationId: group.id, epoch });
    group.epoch = authored;
    await send(ann, group, 'without cyd');
    await sleep(1_200);
    const removals = (of: typeof feed) =>
      of.items.filter((event) => event.type === 'participant' && event.conversationId === group.id);
    expect(removals(feed)).toHaveLength(1);
    using resumed = await followLive(cyd, feed.ids[0]);
    expect(removals(resumed)).toHaveLength(1);
  });

  test('[G1] a watermark that moves is a signal, and no event for everybody', async () => {
    using feed = await followLive(ann);
    await sleep(1_200);
    for (let i = 1; i <= 3; i++) {
      await send(ann, room, `m${i}`);
      await bob.api.receipts.advance.mutate({ conversationId: room.id, readSeq: i });
      await sleep(700);
    }
    await sleep(1_500);
    expect(feed.items.filter(({ type }) => type === 'participant')).toEqual([]);
    expect(messagesIn(feed.items)).toHaveLength(3);
  });

  test('[P23] revoking the session ends the socket, and nothing comes after', async () => {
    const program = newProgram(server, { token: (await server.deps.tokens.sign(bob.userId, bob.sessionId)).token });
    using feed = await followLive(program);
    server.deps.revocations.add([bob.sessionId]);
    await sleep(200);
    const before = feed.items.length;
    await send(ann, room, 'not for a revoked session');
    await sleep(300);
    expect(feed.items).toHaveLength(before);
    await program[Symbol.asyncDispose]();
    bob = await newUser(server, 'bob');
  });
});

test('[P16] whoever goes, at whatever moment of the beginning, is listened for no longer', async () => {
  const dee = await newUser(server, 'dee');
  const { bus } = server.deps;
  const listens = () => bus.listened('u:').includes(dee.userId);
  for (const ms of [0, 1, 2, 3, 5, 8, 13]) {
    const following = [follow(dee), watchReceipts(dee), watchPresence(dee, [ann.userId])];
    await sleep(ms);
    for (const one of following) one[Symbol.dispose]();
    await sleep(20);
    await expect.poll(listens).toBe(false);
    expect(bus.listened('p:')).not.toContain(ann.userId);
  }
  await dee[Symbol.asyncDispose]();
});

describe('resume', () => {
  /** Bob's place now; then he is away. */
  async function leave(person = bob): Promise<string> {
    using feed = await followLive(person);
    const { id } = await send(ann, room, 'the last he saw');
    await feed.until((event) => event.type === 'message' && event.message.id === id);
    return feed.ids.at(-1) ?? '';
  }

  test('[P7][P12][R3] away: new messages, edits, deletes, reactions, titles come with nothing but the last event id', async () => {
    const [first, second, third] = [await send(ann, room, '1'), await send(ann, room, '2'), await send(ann, room, '3')];
    const id = await leave();
    await edit(ann, room, first.id, '1, edited');
    await edit(ann, room, first.id, '1, edited twice', 2);
    await remove(ann, room, second.id);
    await react(ann, room, third.id, '🎉');
    const fresh = await send(ann, room, 'new');
    await ann.api.conversations.update.mutate({ conversationId: room.id, settings: { colour: 'teal' } });
    using feed = await followLive(bob, id);
    const missed = messagesIn(feed.items).filter(inRoom(room.id));
    const now = await bob.api.messages.list.query({ conversationId: room.id });
    for (const wanted of [first.id, second.id, third.id, fresh.id]) {
      const [given, ...again] = missed.filter((message) => message.id === wanted);
      expect(again).toEqual([]);
      const stored = now.messages.find((message) => message.id === wanted);
      expect(given).toMatchObject({
        version: stored?.version,
        contentEncrypted: stored?.contentEncrypted,
        isDeleted: stored?.isDeleted,
      });
      expect(given?.reactions.length).toBe(stored?.reactions.length);
    }
    expect(feed.items).toContainEqual(expect.objectContaining({ type: 'conversation' }));
    expect(feed.items.at(-1)).toEqual({ type: 'live' });
  });

  test('[P7][R4][R9] a long absence comes in pages, unchanged messages in seq order, and can break off anywhere', async () => {
    const id = await leave();
    const drafts = await Promise.all(Array.from({ length: 700 }, (_, i) => draft(ann, room, `m${i}`)));
    for (let i = 0; i < drafts.length; i += 20)
      await Promise.all(drafts.slice(i, i + 20).map((input) => ann.api.messages.send.mutate(input)));
    using whole = await followLive(bob, id);
    const seqs = messagesIn(whole.items)
      .filter(inRoom(room.id))
      .map(({ seq }) => seq);
    expect(seqs.filter((seq) => seq > 1)).toEqual(Array.from({ length: 700 }, (_, i) => i + 2));
    for (const at of [3, 350, 499, 500, 501, 650]) {
      const had = new Set(messagesIn(whole.items.slice(0, at + 1)).map((message) => message.id));
      using rest = await followLive(bob, whole.ids[at]);
      for (const message of messagesIn(rest.items)) had.add(message.id);
      expect(drafts.filter((input) => !had.has(input.id))).toEqual([]);
      expect(rest.items.length).toBeLessThan(whole.items.length);
    }
  });

  test('[P9][R10] messages committed around the moment of attaching arrive, whichever moment that is', async () => {
    for (let round = 0; round < 8; round++) {
      const id = await leave();
      const drafts = await Promise.all(Array.from({ length: 40 }, (_, i) => draft(ann, room, `r${round} m${i}`)));
      const sending = (async () => {
        for (const input of drafts) await ann.api.messages.send.mutate(input);
      })();
      await sleep(round * 12);
      using feed = follow(bob, id);
      await sending;
      const last = drafts.at(-1)?.id;
      await feed.until((event) => event.type === 'message' && event.message.id === last);
      const seen = messagesIn(feed.items).map((message) => message.id);
      expect(drafts.map((input) => seen.filter((one) => one === input.id).length)).toEqual(drafts.map(() => 1));
    }
  });

  test('[P9][R10] what a resume has given and the bus tells only afterwards is not told again', async () => {
    const id = await leave();
    const message = await send(ann, room, 'while he is away');
    using feed = await followLive(bob, id);
    const { version } = message;
    server.deps.bus.publish({
      kind: 'events',
      conversationId: room.id,
      events: [{ version, event: { type: 'message', message } }],
    });
    const next = await send(ann, room, 'and after');
    await feed.until((event) => event.type === 'message' && event.message.id === next.id);
    const told = messagesIn(feed.items).map((one) => one.id);
    expect(told.filter((one) => one === message.id || one === next.id)).toEqual([message.id, next.id]);
  });

  test('[P10][R5] a malformed, foreign or other person’s cursor gives resync, then live; never an error, never silence', async () => {
    const his = await leave();
    const future = his.replace(/\.\d+:\d+:.*$/, '.99999999999:99999999999:');
    for (const [cursor, reason] of [
      ['nonsense', 'malformed'],
      [`${his}; drop table users`, 'malformed'],
      [his.replace(/^.{10}/, 'AAAAAAAAAA'), 'foreign'],
      [future, 'behind'],
    ] as const) {
      using feed = await followLive(bob, cursor);
      expect(feed.items).toEqual([{ type: 'resync', reason }, { type: 'live' }]);
    }
    using hers = await followLive(ann, his);
    expect(hers.items[0]).toEqual({ type: 'resync', reason: 'foreign' });
  });

  test('[P22][R7] removed while away: one last participant event; added while away: the conversation', async () => {
    const all = [...room.people, cyd];
    const add = await draftEpoch(ann, all, { kind: 'ratchet', ops: [op.add(cyd)] }, room);
    await ann.api.conversations.addParticipant.mutate({
      conversationId: room.id,
      userId: cyd.userId,
      epoch: add.epoch,
    });
    room.epoch = add.authored;
    const id = await leave(cyd);
    const out = await draftEpoch(ann, [ann, bob], { kind: 'rotate', ops: [op.remove(cyd)] }, room);
    const input = { conversationId: room.id, userId: cyd.userId, epoch: out.epoch };
    await ann.api.conversations.removeParticipant.mutate(input);
    room.epoch = out.authored;
    await send(ann, room, 'without cyd');
    const other = await newDirect(ann, cyd).catch(() => newGroup(ann, [cyd]));
    using feed = await followLive(cyd, id);
    expect(feed.items).toContainEqual(
      expect.objectContaining({ type: 'participant', conversationId: room.id, userId: cyd.userId, removed: true }),
    );
    expect(messagesIn(feed.items)).toEqual([]);
    expect(feed.items).toContainEqual(
      expect.objectContaining({ type: 'conversation', conversation: expect.objectContaining({ id: other.id }) }),
    );
  });

  test('[G1] receipts given while away come as participants', async () => {
    const id = await leave(ann);
    await bob.api.receipts.advance.mutate({ conversationId: room.id, readSeq: 1 });
    using feed = await followLive(ann, id);
    expect(feed.items).toContainEqual(
      expect.objectContaining({
        type: 'participant',
        userId: bob.userId,
        participant: expect.objectContaining({ readSeq: 1 }),
      }),
    );
  });

  test('[P1][P11][R2] across a restart of the server nothing is missing and the cursor still holds', async () => {
    const id = await leave();
    const before = await send(ann, room, 'before the restart');
    await server.restart();
    const after = await send(ann, room, 'after the restart');
    using feed = await followLive(bob, id);
    const seen = messagesIn(feed.items).map((message) => message.id);
    expect(seen).toEqual(expect.arrayContaining([before.id, after.id]));
  });

  test('[R6] ids handed out live move on, so that a resume repeats little', async () => {
    using feed = await followLive(bob);
    await send(ann, room, 'a');
    await sleep(2_600);
    const b = await send(ann, room, 'b');
    await feed.until((event) => event.type === 'message' && event.message.id === b.id);
    using again = await followLive(bob, feed.ids.at(-1));
    expect(messagesIn(again.items).map(({ seq }) => seq)).toEqual([2]);
  });
});
