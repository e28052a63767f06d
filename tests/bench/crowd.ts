/** A thousand people with real keys: one group of all, a hundred groups of ten, and messages sealed beforehand. */
import { join } from 'node:path';
import { uuidv7 } from 'uuidv7';
import { must } from '#lib/must';
import { Tokens } from '#server/auth/tokens';
import type { Sql } from '#server/db/client';
import { readNow } from '#server/feed/changed';
import { Cursors, readDatabaseTag } from '#server/feed/cursor';
import { loadSecrets } from '#server/secrets';
import { newPerson } from '../crypto/people.ts';
import { followLive } from '../harness/follow.ts';
import { draft, newGroup, type Person, type Room, send } from '../harness/people.ts';
import { newProgram } from '../harness/program.ts';
import type { Scope } from './load/orders.ts';
import type { Credential } from './load/protocols.ts';
import type { World } from './world.ts';

const PEOPLE = 1_000;
const ROOM_SIZE = 10;
const TOKEN_TTL_S = 24 * 60 * 60;
/** Of 300 characters, all different. */
const textOf = (n: number) => `${n} ${'the quick brown fox jumps over the lazy dog '.repeat(7)}`.slice(0, 300);

export interface Crowd extends AsyncDisposable {
  readonly who: readonly Credential[];
  /** The same people as they come back later: they have everything up to now. */
  resuming(): Promise<Credential[]>;
  /** The group of all, and the rooms of ten by their numbers. */
  readonly conversationIds: Readonly<Record<Scope, readonly string[]>>;
  /** Of one room of ten, for looking at one another's presence. */
  readonly peers: readonly string[];
  /** A frame of the feed as everybody receives it, with one sealed message of 300 characters. */
  readonly frame: string;
  /** Calls of `messages.send` over the socket, by room, never sent before. */
  seal(scope: Scope, count: number): Promise<string[][]>;
  /** What devices say of themselves and a load generator does not: all of it has arrived. Who connects behind gets a job of his own. */
  acknowledge(): Promise<void>;
}

export async function newCrowd(world: World): Promise<Crowd> {
  const secretsFile = join(world.dataDir, 'secrets.json');
  const { jwt } = await loadSecrets({
    secretsFile,
    secrets: { jwtPrivateJwk: undefined, pepper: undefined, atRestKey: undefined },
  });
  const people = await populate(world, new Tokens(jwt, TOKEN_TTL_S, Date.now));
  const [first, ...others] = people;
  const creator = must(first, 'somebody is there');
  const everybody = await newGroup(creator, others, 'everybody');
  const rooms: Room[] = [];
  for (let from = 0; from < PEOPLE; from += ROOM_SIZE) {
    const [sender, ...rest] = people.slice(from, from + ROOM_SIZE);
    rooms.push(await newGroup(must(sender, 'rooms are full'), rest, 'ten'));
  }
  let sealed = 0;
  const call = async (room: Room) => {
    const input = await draft(must(room.people[0], 'rooms are full'), room, textOf(++sealed));
    return JSON.stringify({ id: 100 + sealed, method: 'mutation', params: { path: 'messages.send', input } });
  };
  const frame = await sampleFrame(creator, must(others[0], 'somebody is there'), everybody);
  const acknowledge = async () => {
    await world.sql`update conversation_participants p set delivered_seq = c.last_seq
      from conversations c where c.id = p.conversation_id and p.delivered_seq < c.last_seq`;
  };
  await acknowledge();
  // What is read through it are texts, so it need not parse numbers as the server's does.
  const sql = world.sql as unknown as Sql;
  const cursors = new Cursors(await readDatabaseTag(sql));
  const who = people.map(({ token }, i) => ({ token: token ?? '', room: Math.floor(i / ROOM_SIZE) }));
  return {
    who,
    async resuming() {
      const now = await readNow(sql);
      return who.map((one, i) => ({ ...one, resumeAt: cursors.write(people[i]?.userId ?? '', now) }));
    },
    conversationIds: { all: [everybody.id], rooms: rooms.map(({ id }) => id) },
    peers: people.slice(0, ROOM_SIZE).map(({ userId }) => userId),
    frame,
    acknowledge,
    async seal(scope, count) {
      const texts: string[][] = [];
      for (const room of scope === 'all' ? [everybody] : rooms)
        texts.push(await Promise.all(Array.from({ length: count }, () => call(room))));
      return texts;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(people.map((person) => person[Symbol.asyncDispose]()));
    },
  };
}

/** Straight into the database: a thousand registrations would be a thousand times bcrypt. */
async function populate(world: World, tokens: Tokens): Promise<Person[]> {
  const wsUrl = `${world.url.replace('http', 'ws')}/trpc`;
  const people: Person[] = [];
  for (let i = 0; i < PEOPLE; i++) {
    const keys = await newPerson({ userId: uuidv7() });
    const sessionId = uuidv7();
    const { token } = await tokens.sign(keys.userId, sessionId);
    const program = newProgram({ url: world.url, wsUrl }, { token });
    people.push(Object.assign(program, keys, { username: `crowd-${i}`, sessionId }));
  }
  const rowsOf = <T>(row: (person: Person) => T) => people.map(row);
  const { sql } = world;
  await sql`insert into users ${sql(
    rowsOf(({ userId, username }) => ({
      id: userId,
      username,
      email: `${username}@example.org`,
      password_hash: '-',
      display_name: username,
      kdf: '{}',
    })),
  )}`;
  await sql`insert into user_identities ${sql(
    rowsOf(({ userId, signed, fingerprint }) => ({
      user_id: userId,
      gen: 0,
      record: Buffer.from(signed.record),
      self_sig: Buffer.from(signed.selfSig),
      fingerprint: Buffer.from(fingerprint),
      kind: 0,
    })),
  )}`;
  const expires_at = new Date(Date.now() + TOKEN_TTL_S * 1000);
  await sql`insert into sessions ${sql(
    rowsOf(({ userId, sessionId }) => ({ id: sessionId, user_id: userId, kind: 'token', expires_at })),
  )}`;
  return people;
}

async function sampleFrame(sender: Person, reader: Person, room: Room): Promise<string> {
  using feed = await followLive(reader);
  await send(sender, room, textOf(0));
  const event = await feed.until(({ type }) => type === 'message');
  const id = feed.ids[feed.items.indexOf(event)];
  return JSON.stringify({ id: 1, result: { type: 'data', data: { id, data: event }, id } });
}
