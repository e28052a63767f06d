/** Many who read at the same time: written together, told together, and everybody knows the same in the end. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { must } from '#lib/must';
import { type Collected, sleep, watchReceipts } from '../harness/follow.ts';
import { newGroup, newUser, type Person, type Room, send } from '../harness/people.ts';
import { refusal } from '../harness/program.ts';
import { newServer, type TestServer } from '../harness/server.ts';
import type { ReceiptSignal } from '#protocol/signal';

const PEOPLE = 24;

let server: TestServer;
let people: Person[];
let ann: Person;
let others: Person[];
let room: Room;

beforeAll(async () => {
  server = await newServer();
  people = await Promise.all(Array.from({ length: PEOPLE }, (_, i) => newUser(server, `reader-${i}`)));
  [ann, ...others] = people as [Person, ...Person[]];
  room = await newGroup(ann, others);
});
afterAll(async () => {
  for (const person of people) await person[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const read = (person: Person, readSeq: number) =>
  person.ws.receipts.advance.mutate({ conversationId: room.id, readSeq });

/** How far each person is known to have read, from the signals alone. */
function known({ items }: Collected<ReceiptSignal>): Map<string, number> {
  const marks = new Map<string, number>();
  for (const { userId, readSeq, alike = [] } of items)
    for (const id of [userId, ...alike]) marks.set(id, Math.max(readSeq, marks.get(id) ?? 0));
  return marks;
}

test('[P14][G1] all read at the same time: a row for each reading, few signals, and everybody knows of everybody', async () => {
  const hidden = must(others[3], 'there are more');
  await hidden.api.users.update.mutate({ privacy: { receipts: false } });
  using hers = watchReceipts(ann, true);
  using his = watchReceipts(must(others[0], 'there are more'), true);
  using foreign = watchReceipts(ann);
  using own = watchReceipts(hidden);
  await sleep(300);
  let seq = 0;
  for (let i = 0; i < 5; i++) ({ seq } = await send(ann, room, `m${i}`));
  await Promise.all(others.map((person) => read(person, seq)));
  const shown = others.filter((person) => person !== hidden);
  for (const signals of [hers, his]) {
    await signals.until(() => shown.every(({ userId }) => known(signals).get(userId) === seq));
    expect(known(signals).get(hidden.userId) ?? 0).toBe(0);
    expect(signals.items.length).toBeLessThan(PEOPLE);
    expect(signals.items.some(({ alike }) => (alike?.length ?? 0) > 0)).toBe(true);
  }
  // Who knows nothing of it hears of each by name.
  const named = () => new Set(foreign.items.filter(({ readSeq }) => readSeq === seq).map(({ userId }) => userId));
  await foreign.until(() => shown.every(({ userId }) => named().has(userId)));
  expect(foreign.items.some(({ alike }) => alike)).toBe(false);
  await own.until(() => known(own).get(hidden.userId) === seq);
  expect(shown.every(({ userId }) => (known(own).get(userId) ?? 0) === 0)).toBe(true);
  const rows = await server.db.sql`
    select user_id, kind, from_seq, up_to_seq from receipts where conversation_id = ${room.id}`;
  expect(rows).toHaveLength(others.length);
  expect(rows.filter(({ kind }) => kind === 'delivered').map((row) => row.user_id)).toEqual([hidden.userId]);
  const { messages } = await ann.api.messages.list.query({ conversationId: room.id });
  const statuses = await ann.api.messages.statuses.query({ messageId: messages[0]?.id ?? '' });
  for (const { userId, status, deliveredAt, readAt } of statuses) {
    expect(deliveredAt).toEqual(expect.any(String));
    expect([status, readAt !== null]).toEqual(userId === hidden.userId ? ['delivered', false] : ['read', true]);
  }
});

test('[P14][P21] a row that somebody holds delays nobody else; outsiders get nothing', async () => {
  const { seq } = await send(ann, room, 'once more');
  const [held, ...rest] = others as [Person, ...Person[]];
  const stranger = await newUser(server, 'stranger');
  let isHeld = true;
  let late: Promise<unknown> = Promise.resolve();
  await server.db.sql.begin(async (sql) => {
    await sql`select 1 from conversation_participants where conversation_id = ${room.id} and user_id = ${held.userId} for update`;
    late = read(held, seq).then((marks) => expect([isHeld, marks.readSeq]).toEqual([false, seq]));
    const refused = refusal(read(stranger, seq));
    const marks = await Promise.all(rest.map((person) => read(person, seq)));
    expect(marks.every(({ readSeq }) => readSeq === seq)).toBe(true);
    expect(await refused).toMatchObject({ code: 'NOT_FOUND', reason: 'not_found' });
    isHeld = false;
  });
  await late;
  await stranger[Symbol.asyncDispose]();
});

test('[P14] the same person from many devices at once: one place, never back', async () => {
  const reader = must(others[1], 'there are more');
  let seq = 0;
  for (let i = 0; i < 3; i++) ({ seq } = await send(ann, room, `again ${i}`));
  const marks = await Promise.all([seq, seq - 2, seq - 1, seq + 9].map((to) => read(reader, to)));
  expect(Math.max(...marks.map(({ readSeq }) => readSeq))).toBe(seq);
  const { participants } = await ann.api.conversations.get.query({ conversationId: room.id });
  expect(participants.find(({ user }) => user.id === reader.userId)?.readSeq).toBe(seq);
});
