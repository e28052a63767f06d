/** The wire as docs/protocol.md has it, spoken by hand: raw HTTP, raw frames, values at and beyond every edge. */
import { uuidv7 } from 'uuidv7';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { z } from 'zod';
import { appRouter } from '#server/router';
import { add } from '../crypto/people.ts';
import { followLive } from '../harness/follow.ts';
import {
  draft,
  draftEpoch,
  draftReaction,
  newDirect,
  newGroup,
  newUser,
  type Person,
  type Room,
  seal,
  sealTitle,
  send,
} from '../harness/people.ts';
import { fitting, seeded } from '../harness/random.ts';
import { newRegistration } from '../harness/registration.ts';
import { newServer, type TestServer } from '../harness/server.ts';

let server: TestServer;
let ann: Person;
let bob: Person;
let eve: Person;
let room: Room;
let group: Room;

beforeAll(async () => {
  server = await newServer();
  [ann, bob, eve] = await Promise.all([newUser(server, 'ann'), newUser(server, 'bob'), newUser(server, 'eve')]);
  [room, group] = await Promise.all([newDirect(ann, bob), newGroup(ann, [bob])]);
});
afterAll(async () => {
  for (const person of [ann, bob, eve]) await person[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

interface Answer {
  status: number;
  text: string;
  data: { code?: string; reason?: string; limit?: number; issues?: unknown[] };
}

async function http(path: string, init: RequestInit = {}, token: string | null = ann.token): Promise<Answer> {
  const headers = { ...init.headers, ...(token === null ? {} : { authorization: `Bearer ${token}` }) };
  const response = await fetch(`${server.url}/trpc/${path}`, { ...init, headers });
  const text = await response.text();
  const json = text === '' ? {} : JSON.parse(text);
  return { status: response.status, text, data: json.error?.data ?? {} };
}
const JSON_TYPE = { 'content-type': 'application/json' };
const mutate = (path: string, input: unknown, by?: Person) =>
  http(path, { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(input) }, by?.token);
const query = (path: string, input: unknown, by?: Person) =>
  http(`${path}?input=${encodeURIComponent(JSON.stringify(input))}`, {}, by?.token);

const refused = (reason: string) => ({ status: 400, data: { code: 'BAD_REQUEST', reason } });

describe('requests', () => {
  test('[P26] what is no call at all: unknown, malformed, of the wrong method or type', async () => {
    const post = (headers: Record<string, string>, body: string) =>
      http('messages.send', { method: 'POST', headers, body });
    expect(await query('no.such', {})).toMatchObject({ status: 404, data: { code: 'NOT_FOUND' } });
    expect(await post(JSON_TYPE, '{"id":')).toMatchObject(refused('invalid_input'));
    expect(await post(JSON_TYPE, '')).toMatchObject(refused('invalid_input'));
    expect(await post({ 'content-type': 'text/plain' }, '{}')).toMatchObject({ status: 415 });
    expect(await post({ 'content-type': 'multipart/form-data' }, 'x')).toMatchObject({ status: 400 });
    expect(await http('users.byIds?input=%7B')).toMatchObject(refused('invalid_input'));
    expect(await query('messages.send', {})).toMatchObject({ status: 405, data: { code: 'METHOD_NOT_SUPPORTED' } });
    expect(await http('%ff')).toMatchObject({ status: 400 });
  });

  test('[P26] limits are told: bodies, batches, rows, characters', async () => {
    const kilobytes = (n: number) => ({ x: 'a'.repeat(n * 1024) });
    const tooLarge = (limit: number) => ({ status: 413, data: { code: 'PAYLOAD_TOO_LARGE', limit } });
    expect(await mutate('messages.send', kilobytes(64))).toMatchObject(tooLarge(64 * 1024));
    expect(await mutate('messages.send,messages.send?batch=1', { 0: kilobytes(64) })).toMatchObject(
      tooLarge(64 * 1024),
    );
    expect(await mutate('conversations.createGroup', kilobytes(4_096))).toMatchObject(tooLarge(4 * 1024 * 1024));
    expect(await mutate('conversations.createGroup', kilobytes(3_000))).toMatchObject(refused('invalid_input'));
    expect(await http(`${Array(21).fill('users.me').join()}?batch=1`)).toMatchObject({
      status: 400,
      data: { limit: 20 },
    });
    expect((await http(`${Array(20).fill('users.me').join()}?batch=1`)).status).toBe(200);
    const conversationId = group.id;
    for (const [answer, limit] of [
      [query('messages.list', { conversationId, limit: 101 }), 100],
      [query('conversations.list', { limit: 101 }), 100],
      [query('presence.get', { userIds: Array(501).fill(eve.userId) }), 500],
      [query('keys.identities', { userIds: Array(101).fill(eve.userId) }), 100],
      [mutate('conversations.update', { conversationId, settings: { a: 'x'.repeat(9_000) } }), 8_000],
      [mutate('conversations.update', { conversationId, title: 'AAAA'.repeat(3_001) }), 12_000],
      [mutate('messages.send', { ...(await draft(ann, room, 'x')), contentEncrypted: 'A'.repeat(40_004) }), 40_000],
      [mutate('keys.settings', { version: 1, data: 'AAAA'.repeat(15_001) }), 60_000],
    ] as const)
      expect(await answer).toMatchObject({ status: 400, data: { code: 'BAD_REQUEST', limit } });
    expect((await mutate('keys.settings', { version: 1, data: 'AAAA'.repeat(15_000) })).status).toBe(200);
  });

  test('[P26] numbers that are none, or larger than their column', async () => {
    const conversationId = room.id;
    const input = await draft(ann, room, 'x');
    for (const keyEpoch of [2 ** 31, 2 ** 40, 2 ** 53, -1, 1.5, '0', null])
      expect(await mutate('messages.send', { ...input, keyEpoch }), String(keyEpoch)).toMatchObject({ status: 400 });
    for (const readSeq of [2 ** 53, -1, 1.5, '1'])
      expect(await mutate('receipts.advance', { conversationId, readSeq })).toMatchObject(refused('invalid_input'));
    for (const limit of [0, -1, 1.5, '5', null])
      expect(await query('messages.list', { conversationId, limit })).toMatchObject(refused('invalid_input'));
    for (const after of [2 ** 31, -2, 0.5])
      expect(await query('keys.epochs', { conversationId, after })).toMatchObject(refused('invalid_input'));
    const clamped = await bob.api.receipts.advance.mutate({ conversationId, deliveredSeq: 2 ** 53 - 1 });
    expect(clamped).toEqual({ conversationId, deliveredSeq: 0, readSeq: 0 });
  });

  test('[P26] a number out of range does not spoil the sends that came with it', async () => {
    const [good, bad] = await Promise.all([draft(ann, room, 'good'), draft(ann, room, 'bad')]);
    const [kept, dropped] = await Promise.all([
      mutate('messages.send', good),
      mutate('messages.send', { ...bad, keyEpoch: 2 ** 40 }),
    ]);
    expect([kept.status, dropped.status]).toEqual([200, 400]);
  });

  test.each(['\0', 'a\0b', '\ud800', 'a\udfffb'])('[P26] text that cannot be kept is BAD_REQUEST: %j', async (text) => {
    const registration = await newRegistration();
    const conversationId = group.id;
    for (const answer of [
      query('users.search', { query: text }),
      query('auth.preLogin', { login: text }),
      mutate('auth.login', { login: text, password: 'x'.repeat(43) }),
      mutate('auth.register', { ...registration, displayName: text }),
      mutate('auth.register', { ...registration, email: `${text}@example.org` }),
      mutate('users.update', { displayName: text }),
      mutate('users.update', { avatarUrl: `https://example.org/${text}` }),
      mutate('conversations.update', { conversationId, settings: { a: text } }),
      mutate('conversations.update', { conversationId, settings: { [text]: 1 } }),
      mutate('conversations.update', { conversationId, title: text }),
      query('messages.list', { conversationId, cursor: text }),
      query('conversations.list', { cursor: text }),
      mutate('messages.send', { ...(await draft(ann, room, 'x')), contentEncrypted: text }),
    ])
      expect(await answer).toMatchObject({ status: 400, data: { code: 'BAD_REQUEST' } });
  });

  test('ids in upper case mean the same; other spellings are refused', async () => {
    const { id } = await send(ann, room, 'x');
    expect((await query('conversations.get', { conversationId: room.id.toUpperCase() })).text).toContain(room.id);
    const page = await query('messages.list', { conversationId: room.id, around: id.toUpperCase() });
    expect(page.text).toContain(id);
    expect(await query('conversations.get', { conversationId: room.id.replaceAll('-', '') })).toMatchObject(
      refused('invalid_input'),
    );
  });
});

describe('bytes', () => {
  test('[P26] base64 has one spelling: padded, standard alphabet, no blanks, no spare bits', async () => {
    const input = await draft(ann, room, 'x');
    const good = input.contentEncrypted;
    expect(good.endsWith('==')).toBe(true);
    const last = { A: 'B', Q: 'R', g: 'h', w: 'x' }[good.slice(-3, -2)] ?? '';
    const spellings = {
      unpadded: good.replace(/=+$/, ''),
      url: good.replaceAll('+', '-').replaceAll('/', '_').replaceAll('A', '-'),
      folded: `${good.slice(0, 76)}\n${good.slice(76)}`,
      blank: ` ${good}`,
      trailing: `${good}\n`,
      'spare bits': `${good.slice(0, -3)}${last}==`,
      plain: 'hello',
    };
    for (const [name, contentEncrypted] of Object.entries(spellings))
      expect(await mutate('messages.send', { ...input, contentEncrypted }), name).toMatchObject(refused('bad_format'));
    const reaction = await draftReaction(ann, room, uuidv7(), 'x');
    for (const tag of [`${'A'.repeat(42)}B=`, 'A'.repeat(43), 'AAAA'.repeat(11)])
      expect(await mutate('messages.react', { ...reaction, tag })).toMatchObject(refused('bad_format'));
  });

  test('[P26] wraps are 1168 bytes each, spelt in the one way; nothing is made of a group with others', async () => {
    const { input } = await newGroupInput();
    const withWraps = (change: (wrapped: string) => string) => ({
      ...input,
      epoch: { ...input.epoch, wraps: input.epoch.wraps.map((wrap) => ({ ...wrap, wrapped: change(wrap.wrapped) })) },
    });
    for (const bad of [
      withWraps((wrapped) => wrapped.slice(4)),
      withWraps((wrapped) => `${wrapped.slice(0, -4)}AAA=`),
      withWraps((wrapped) => `${wrapped.slice(0, -3)}B==`),
    ])
      expect(await mutate('conversations.createGroup', bad)).toMatchObject(refused('bad_format'));
    expect(await query('conversations.get', { conversationId: input.id })).toMatchObject({ status: 404 });
  });
});

async function newGroupInput() {
  const { authored, epoch } = await draftEpoch(ann, [ann, bob], { kind: 'create', ops: [add(ann, 2), add(bob)] });
  const made: Room = { id: authored.state.record.conversationId, epoch: authored, people: [ann, bob] };
  const title = await sealTitle(ann, made, 'Trip', 0);
  return { room: made, input: { id: made.id, title, participantIds: [bob.userId], epoch } };
}

describe('order of checks (S3)', () => {
  test('[S3] a role too low is told before what is wrong with the epoch or envelope; outsiders are told neither', async () => {
    const { epoch } = (await newGroupInput()).input;
    const broken = { ...epoch, record: 'AAAA' };
    const { id: messageId } = await send(ann, group, 'x');
    const conversationId = group.id;
    const calls = [
      ['conversations.addParticipant', { conversationId, userId: eve.userId, epoch: broken }],
      ['conversations.removeParticipant', { conversationId, userId: ann.userId, epoch: broken }],
      ['conversations.setRole', { conversationId, userId: bob.userId, role: 'admin', epoch: broken }],
      ['conversations.update', { conversationId, title: 'AAAA' }],
      ['messages.edit', { messageId, contentEncrypted: '%', keyEpoch: 0 }],
      ['messages.delete', { messageId, contentEncrypted: '%' }],
    ] as const;
    for (const [path, input] of calls) {
      expect(await mutate(path, input, bob), path).toMatchObject({ status: 403, data: { code: 'FORBIDDEN' } });
      const [outside, nothing] = await Promise.all([
        mutate(path, input, eve),
        mutate(path, { ...input, messageId: uuidv7(), conversationId: uuidv7() }, eve),
      ]);
      expect(outside, `[P21] ${path}`).toEqual(nothing);
      expect(outside).toMatchObject({ status: 404, data: { code: 'NOT_FOUND' } });
    }
    expect(await mutate('messages.edit', calls[4][1])).toMatchObject(refused('bad_format'));
    expect(await mutate('conversations.addParticipant', calls[0][1])).toMatchObject(refused('bad_format'));
  });

  const named = Object.entries(appRouter._def.procedures).flatMap(([path, procedure]) => {
    const { type, inputs } = (procedure as unknown as { _def: { type: string; inputs: unknown[] } })._def;
    if (type === 'subscription' || !(inputs[0] instanceof z.ZodType)) return [];
    const schema = z.toJSONSchema(inputs[0], { io: 'input', unrepresentable: 'any' });
    const names = ['conversationId', 'messageId'].filter((name) => name in (schema.properties ?? {}));
    return names.length > 0 ? [[path, type, schema, names] as const] : [];
  });
  test.each(named)(
    '[P21] %s: what exists is answered like what does not, byte for byte',
    async (path, type, schema, names) => {
      const { id: messageId } = await send(ann, room, 'x');
      const random = seeded(7);
      const ask = async (ids: Record<string, string>, input: object) => {
        const own = Object.fromEntries(names.map((name) => [name, ids[name]]));
        return (type === 'query' ? query : mutate)(path, { ...input, ...own }, eve);
      };
      for (let round = 0; round < 5; round++) {
        const input = fitting(schema, random, [bob.userId, uuidv7()]) as object;
        const [here, nowhere] = await Promise.all([
          ask({ conversationId: room.id, messageId }, input),
          ask({ conversationId: uuidv7(), messageId: uuidv7() }, input),
        ]);
        expect(here).toEqual(nowhere);
        expect(here, here.text).toMatchObject({ status: 404, data: { code: 'NOT_FOUND', reason: 'not_found' } });
      }
    },
  );

  test('[P26] an envelope made at another time is told so, and sealed anew it goes', async () => {
    const day = 24 * 60 * 60 * 1_000;
    const input = await draft(ann, room, 'x');
    for (const createdMs of [0, Date.now() - 2 * day, Date.now() + 2 * day]) {
      const contentEncrypted = await seal(ann, room, { t: 'text', body: 'x' }, { messageId: input.id, createdMs });
      expect(await mutate('messages.send', { ...input, contentEncrypted })).toMatchObject(refused('bad_format'));
    }
    expect((await mutate('messages.send', input)).status).toBe(200);
  });

  test('createGroup: myself and doubles in the list do not count, the same call at once is one group', async () => {
    const { input } = await newGroupInput();
    const doubled = { ...input, participantIds: [bob.userId, bob.userId.toUpperCase(), ann.userId] };
    const answers = await Promise.all([doubled, input, input].map((one) => mutate('conversations.createGroup', one)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    const strangers = Array.from({ length: 1_000 }, () => uuidv7());
    expect(await mutate('conversations.createGroup', { ...input, participantIds: strangers })).toMatchObject({
      status: 400,
      data: { limit: 1_000 },
    });
    const some = { ...input, participantIds: strangers.slice(1) };
    expect(await mutate('conversations.createGroup', { ...some, id: uuidv7() })).toMatchObject({ status: 400 });
  });
});

describe('frames', () => {
  /** Speaks tRPC's frames by hand; resolves once `enough` of them have come. */
  function converse(frames: unknown[], enough: (seen: Frame[]) => boolean): Promise<Frame[]> {
    return new Promise((done, fail) => {
      const socket = new WebSocket(`${server.wsUrl}?connectionParams=1`);
      const seen: Frame[] = [];
      socket.on('error', fail);
      socket.on('open', () => {
        socket.send(JSON.stringify({ method: 'connectionParams', data: { token: ann.token } }));
        for (const frame of frames) socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
      });
      socket.on('message', (data) => {
        seen.push(JSON.parse(String(data)) as Frame);
        if (!enough(seen)) return;
        socket.close();
        done(seen);
      });
      socket.on('close', () => done(seen));
    });
  }
  interface Frame {
    id: number | string | null;
    jsonrpc?: string;
    result?: { type: string; id?: string; data?: { id: string; data: { type: string } } };
    error?: { data: { code: string; limit?: number } };
  }
  const subscription = (id: number, params: object) => ({ id, jsonrpc: '2.0', method: 'subscription', params });

  test('a subscription starts, gives tracked data, and stops when told', async () => {
    const frames = await converse(
      [
        subscription(1, { path: 'feed.follow', input: {} }),
        { id: 2, method: 'query', params: { path: 'users.me' } },
        { id: 'text', method: 'query', params: { path: 'users.me' } },
        { id: 4, method: 'query', params: { path: 'no.such' } },
        '{"broken',
      ],
      (seen) => seen.length >= 6,
    );
    const of = (id: Frame['id']) => frames.filter((frame) => frame.id === id);
    const [started, live] = of(1);
    expect(started).toEqual({ id: 1, jsonrpc: '2.0', result: { type: 'started' } });
    expect(live?.result).toMatchObject({ type: 'data', data: { data: { type: 'live' } } });
    expect(live?.result?.id).toBe(live?.result?.data?.id);
    expect(of(2)[0]?.result).toMatchObject({ type: 'data', data: { id: ann.userId } });
    expect(of('text')).toHaveLength(1);
    expect(of(4)[0]?.error?.data.code).toBe('NOT_FOUND');
    expect(of(null)[0]?.error?.data.code).toBe('PARSE_ERROR');
  });

  test('[P10][R5] whatever comes as lastEventId, beside the input or in it: resync, then live, never an error', async () => {
    using feed = await followLive(ann);
    const tag = feed.ids[0]?.slice(0, 11) ?? '';
    const ids = [
      '',
      'x',
      'x'.repeat(9_000),
      `${tag}0:0:`,
      `${tag}5:4:`,
      `${tag}3:9:5,5`,
      `${tag}1:9999999999999999999:`,
    ];
    const frames = await converse(
      [
        ...ids.map((lastEventId, i) => subscription(i + 1, { path: 'feed.follow', input: {}, lastEventId })),
        subscription(50, { path: 'feed.follow', input: { lastEventId: { a: 1 } } }),
      ],
      (seen) => seen.filter((frame) => frame.result?.data?.data.type === 'live').length > ids.length,
    );
    for (const id of [...ids.keys()].map((i) => i + 1).concat(50)) {
      const given = frames
        .filter((frame) => frame.id === id)
        .map(({ result }) => result?.data?.data.type ?? result?.type);
      expect(given, String(ids[id - 1])).toEqual(['started', 'resync', 'live']);
    }
  });

  test('[P24] more than 20 calls in one frame are refused with the limit', async () => {
    const calls = Array.from({ length: 21 }, (_, id) => ({ id, method: 'query', params: { path: 'users.me' } }));
    const [first] = await converse([calls], (seen) => seen.length > 0);
    expect(first?.error?.data).toMatchObject({ code: 'BAD_REQUEST', limit: 20 });
  });
});
