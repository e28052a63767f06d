/** Creating conversations: all or nothing, in one transaction, with the first epoch and everybody's wrapped key. */
import { eq, inArray, sql } from 'drizzle-orm';
import type { z } from 'zod';
import type { ConversationSeen, CreateDirect, CreateGroup } from '#protocol/conversation';
import { notFound, ParleyError } from '#protocol/errors';
import { LIMITS } from '#protocol/limits';
import { ROLES } from '#protocol/participant';
import { type EpochState, sha256 } from '#crypto/verify';
import { conversationParticipants, conversations, users } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { accessConversation } from './access.ts';
import { change, type Change } from './change.ts';
import { seeConversation } from './conversation-list.ts';
import { checkEnvelope } from './envelopes.ts';
import { isRepeat, type ParsedEpoch, parseEpoch, storeEpoch, verifyEpoch } from './epochs.ts';
import { loadConversations } from './present.ts';
import { hiddenFrom } from './privacy.ts';

/** The two ids in order: the same pair has the same key, whoever asks. */
const directKeyOf = (a: string, b: string) => [a, b].sort().join(':');

/** Idempotent per pair: an existing conversation is returned as it is, and the epoch offered for it is dropped. */
export async function createDirect(
  deps: Deps,
  userId: string,
  input: z.output<typeof CreateDirect>,
): Promise<ConversationSeen> {
  if (input.userId === userId) throw new ParleyError('BAD_REQUEST', 'self_conversation');
  await requireUsers(deps, [input.userId]);
  const directKey = directKeyOf(userId, input.userId);
  const existing = await findDirect(deps, directKey);
  if (existing) return see(deps, userId, existing);

  const parsed = parseEpoch(input.epoch, input.id, userId);
  requireMembers(parsed, [userId, input.userId], true);
  const id = await create(deps, { parsed, type: 'direct', title: null, directKey, createdBy: userId }).catch(
    // Both people pressed the button at once: the second gets the first one's conversation.
    async (error) => (await findDirect(deps, directKey)) ?? Promise.reject(error),
  );
  return see(deps, userId, id);
}

/** The same id with the same epoch record again is the same group; the id in any other use is CONFLICT. */
export async function createGroup(
  deps: Deps,
  userId: string,
  input: z.output<typeof CreateGroup>,
): Promise<ConversationSeen> {
  const others = new Set(input.participantIds);
  others.delete(userId);
  if (others.size + 1 > LIMITS.participants)
    throw new ParleyError('BAD_REQUEST', 'too_many_participants', { limit: LIMITS.participants });
  const parsed = parseEpoch(input.epoch, input.id, userId);
  const [taken] = await deps.db
    .select({ id: conversations.id })
    .from(conversations)
    .where(eq(conversations.id, input.id));
  if (taken) {
    if (await wasCreated(deps, parsed)) return see(deps, userId, input.id);
    throw new ParleyError('CONFLICT', 'conversation_id_taken');
  }
  await requireUsers(deps, [...others]);
  requireMembers(parsed, [userId, ...others], false);
  const header = checkEnvelope(input.title, {
    type: 'meta',
    conversationId: input.id,
    messageId: input.id,
    senderId: userId,
    revision: 0,
    keyEpoch: 0,
  });
  const hash = await sha256(parsed.bytes);
  if (!hash.every((byte, i) => byte === header.epochHash[i])) throw new ParleyError('CONFLICT', 'epoch_stale');
  const wanted = { parsed, type: 'group', title: input.title, directKey: null, createdBy: userId } as const;
  const id = await create(deps, wanted).catch(
    // The same call twice at once: the second gets the first one's group.
    async (error) => ((await wasCreated(deps, parsed)) ? input.id : Promise.reject(error)),
  );
  return see(deps, userId, id);
}

const wasCreated = (deps: Deps, parsed: ParsedEpoch) => deps.db.transaction((tx) => isRepeat(tx, parsed));

async function requireUsers(deps: Deps, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  const rows = await deps.db.select({ id: users.id }).from(users).where(inArray(users.id, ids));
  if (rows.length !== ids.length) throw notFound();
}

function requireMembers({ record }: ParsedEpoch, expected: string[], direct: boolean): void {
  const named = new Set(record.ops.flatMap((op) => (op.op === 'add' ? [op.member.userId] : [])));
  const right = record.direct === direct && record.kind === 'create' && named.size === expected.length;
  if (!right || expected.some((id) => !named.has(id)))
    throw new ParleyError('BAD_REQUEST', 'bad_format', { message: 'the epoch names other members' });
}

async function findDirect(deps: Deps, directKey: string): Promise<string | undefined> {
  const [row] = await deps.db
    .select({ id: conversations.id })
    .from(conversations)
    .where(eq(conversations.directKey, directKey));
  return row?.id;
}

async function see(deps: Deps, userId: string, conversationId: string): Promise<ConversationSeen> {
  return seeConversation(deps.db, await accessConversation(deps.db, userId, conversationId));
}

interface NewConversation {
  parsed: ParsedEpoch;
  type: 'direct' | 'group';
  title: string | null;
  directKey: string | null;
  createdBy: string;
}

async function create(deps: Deps, wanted: NewConversation): Promise<string> {
  return change(deps, async (step) => {
    const state = await verifyEpoch(step.tx, wanted.parsed, null);
    return insert(step, wanted, state);
  });
}

/** Versions: the conversation's own row is 1, the epoch 2, the participants follow. */
async function insert({ tx, emit }: Change, wanted: NewConversation, state: EpochState): Promise<string> {
  const { parsed, type, title, directKey, createdBy } = wanted;
  const id = parsed.record.conversationId;
  const members = [...state.members.values()];
  const inserted = await tx
    .insert(conversations)
    .values({
      id,
      type,
      title,
      createdBy,
      directKey,
      version: 2 + members.length,
      ownVersion: 1,
      keyEpoch: 0,
      epochHash: state.hash,
    })
    .onConflictDoNothing({ target: conversations.id })
    .returning({ id: conversations.id });
  if (inserted.length === 0) throw new ParleyError('CONFLICT', 'conversation_id_taken');
  await tx.insert(conversationParticipants).values(
    members.map((member, i) => ({
      conversationId: id,
      userId: member.userId,
      role: ROLES[member.role],
      keyGen: member.gen,
      keyFingerprint: member.fingerprint,
      readsHiddenAfter: hiddenFrom(member.userId, 0),
      version: 3 + i,
      changedXid: sql`pg_current_xact_id()`,
    })),
  );
  await storeEpoch(tx, parsed, { state, seq: 0, version: 2 });
  const conversation = (await loadConversations(tx, [id])).get(id);
  if (!conversation) throw new TypeError('a conversation just made is missing');
  emit(id, 1, { type: 'conversation', conversation });
  emit(id, 2, { type: 'keys', conversationId: id, epoch: 0, version: 2 });
  members.forEach((member, i) => {
    const participant = conversation.participants.find(({ user }) => user.id === member.userId) ?? null;
    emit(id, 3 + i, {
      type: 'participant',
      conversationId: id,
      userId: member.userId,
      participant,
      removed: false,
      version: 3 + i,
    });
  });
  return id;
}
