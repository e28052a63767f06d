/** After the healing: what the database holds, what was acknowledged and what everybody saw must be one story. */
import type { MessageView } from '#client/types';
import type { Room } from '../harness/people.ts';
import type { History } from './history.ts';
import type { OfflineClient } from './offline-client.ts';
import type { PlainClient } from './plain-client.ts';
import type { SdkClient } from './sdk-client.ts';
import type { World } from './world.ts';

interface Row {
  id: string;
  conversation_id: string;
  sender_id: string;
  seq: number;
  version: number;
  content_encrypted: string;
}

export interface Outcome {
  readonly violations: string[];
  readonly stored: number;
}

export interface Story {
  readonly world: World;
  readonly rooms: readonly Room[];
  readonly history: History;
  readonly plain: readonly PlainClient[];
  readonly sdk: readonly SdkClient[];
  readonly offline: readonly OfflineClient[];
}

const members = (room: Room, id: string) => room.people.some(({ userId }) => userId === id);

async function rowsOf(world: World): Promise<Row[]> {
  return world.sql<Row[]>`select id, conversation_id, sender_id, seq::int, version::int, content_encrypted
    from messages order by conversation_id, seq`;
}

/** True as soon as every reader holds the newest version of everything, and every outbox is empty. */
export async function isQuiet({ world, rooms, plain, sdk }: Story): Promise<boolean> {
  const rows = await rowsOf(world);
  const reached = plain.every(({ person, seen }) =>
    rows.every(({ id, version, conversation_id }) => {
      const room = rooms.find((one) => one.id === conversation_id);
      return !room || !members(room, person.userId) || seen.messages.get(id)?.version === version;
    }),
  );
  return reached && sdk.every((client) => client.waiting() === 0);
}

/** What should have been pushed to those who are away: the messages that still say something. */
export async function unpushed({ world, rooms, offline }: Story): Promise<string[]> {
  const rows = await world.sql<Row[]>`select id, conversation_id, seq::int from messages where not is_deleted`;
  return offline.flatMap(({ person, browser }) => {
    const told = new Set(
      browser.received.filter(({ answered }) => answered < 300).map(({ payload }) => payload.messageId),
    );
    return rows
      .filter((row) => rooms.some((one) => one.id === row.conversation_id && members(one, person.userId)))
      .flatMap(({ id, seq }) => (told.has(id) ? [] : [`${person.username} was not told of seq ${seq}`]));
  });
}

export async function check(story: Story): Promise<Outcome> {
  const { world, rooms, history, plain, sdk } = story;
  const violations: string[] = [];
  const fail = (rule: string, what: string) => violations.push(`[${rule}] ${what}`);
  const rows = await rowsOf(world);
  const byId = new Map(rows.map((row) => [row.id, row]));
  const bySdk = new Map(sdk.flatMap(({ written }) => [...written]));

  for (const [id, seqs] of history.acknowledged) {
    const row = byId.get(id);
    if (!row) fail('P1', `acknowledged and not there: ${id}`);
    else if (seqs.size !== 1 || !seqs.has(row.seq)) fail('P3', `${id} was answered as ${[...seqs]}, is ${row.seq}`);
  }
  for (const row of rows) {
    const tried = history.attempted.get(row.id);
    if (!tried && !bySdk.has(row.id)) fail('P2', `nobody sent ${row.id}`);
    if (!tried) continue;
    if (!tried.contents.includes(row.content_encrypted)) fail('P2', `other bytes than were sent: ${row.id}`);
    else if (!tried.isOpen && row.content_encrypted !== tried.contents.at(-1))
      fail('P12', `not the last edit or delete: ${row.id}`);
  }
  // A client that makes a new message of each try has acknowledged one of them and stored several.
  for (const [id, { conversationId }] of history.attempted)
    if (byId.has(id) && !history.acknowledged.has(id)) fail('P4', `stored twice in effect: ${id} in ${conversationId}`);
  for (const room of rooms) {
    const seqs = rows.filter((row) => row.conversation_id === room.id).map(({ seq }) => seq);
    if (seqs.some((seq, i) => seq !== i + 1)) fail('P5', `seqs of ${room.id} are not 1..${seqs.length}`);
  }

  for (const { person, seen } of plain) {
    const wanted = rows.filter((row) =>
      rooms.some((one) => one.id === row.conversation_id && members(one, person.userId)),
    );
    for (const row of wanted) {
      const got = seen.messages.get(row.id);
      if (!got) fail('P7', `${person.username} misses seq ${row.seq} of ${row.conversation_id}`);
      else if (got.seq !== row.seq) fail('P6', `${person.username} has ${row.id} as seq ${got.seq}`);
      else if (got.contentEncrypted !== row.content_encrypted) fail('P12', `${person.username} has an old ${row.id}`);
    }
    if (seen.messages.size > wanted.length) fail('P21', `${person.username} has what is not for him`);
  }

  for (const client of sdk) {
    const { userId } = client.person;
    for (const [id] of client.written) if (!byId.has(id)) fail('P4', `an outbox lost ${id}`);
    for (const room of rooms.filter((one) => members(one, userId))) {
      const ids = rows.filter((row) => row.conversation_id === room.id).map(({ id }) => id);
      const shown = await client.shown(room.id);
      sameOrder(ids, shown, (what) => fail('P6', `${userId} in ${room.id}: ${what}`));
      for (const { id, content } of shown) {
        if (content.kind === 'unreadable') fail('P30', `${id} is unreadable: ${content.reason}`);
        const mine = client.written.get(id);
        if (mine && !(content.kind === 'text' && content.body === mine.text)) fail('P2', `${id} reads otherwise`);
      }
    }
  }
  return { violations, stored: rows.length };
}

function sameOrder(ids: string[], shown: readonly MessageView[], fail: (what: string) => void): void {
  if (new Set(shown.map(({ id }) => id)).size !== shown.length) fail('a message is shown twice');
  if (shown.length !== ids.length) return fail(`${shown.length} shown of ${ids.length}`);
  const at = ids.findIndex((id, i) => shown[i]?.id !== id);
  if (at >= 0) fail(`another order from ${at + 1} on`);
}
