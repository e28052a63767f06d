/** Adding, removing, leaving, roles, rotation: every change of who is in, each with the signed epoch that says so. */
import { and, eq, isNull, ne, sql } from 'drizzle-orm';
import type { z } from 'zod';
import type { EpochOp } from '#crypto/verify';
import { notFound, ParleyError } from '#protocol/errors';
import type { Epoch } from '#protocol/keys';
import { LIMITS } from '#protocol/limits';
import { type AddParticipant, rankOf, type Role, type RemoveParticipant, type SetRole } from '#protocol/participant';
import type { ConversationSeen } from '#protocol/conversation';
import type { Tx } from '../db/client.ts';
import { conversationParticipants, conversations } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { lockConversation, type Membership, requireActive, requireRole } from './access.ts';
import { change, type Change, currentXid, takeVersions } from './change.ts';
import { seeConversation } from './conversation-list.ts';
import { examineEpoch, isRepeat, type ParsedEpoch, parseEpoch } from './epochs.ts';
import { commitEpoch } from './membership.ts';
import { loadConversations } from './present.ts';

interface Step extends Change {
  readonly membership: Membership;
}

/** Locks, does the work, and answers with the conversation as it is afterwards. */
function changeMembers(deps: Deps, userId: string, conversationId: string, work: (step: Step) => Promise<void>) {
  return change(deps, async (step): Promise<ConversationSeen> => {
    const membership = await lockConversation(step.tx, userId, conversationId);
    await work({ ...step, membership });
    return seeConversation(step.tx, membership);
  });
}

/** The people a record's ops of one kind name. */
const named = (parsed: ParsedEpoch, kind: EpochOp['op']) => parsed.record.ops.filter(({ op }) => op === kind);
const subject = (op: EpochOp) => (op.op === 'remove' ? op.userId : op.member.userId);
const otherThan = (message: string) => new ParleyError('BAD_REQUEST', 'bad_format', { message });

async function activeRole(tx: Tx, conversationId: string, userId: string): Promise<Role | undefined> {
  const [row] = await tx
    .select({ role: conversationParticipants.role })
    .from(conversationParticipants)
    .where(
      and(
        eq(conversationParticipants.conversationId, conversationId),
        eq(conversationParticipants.userId, userId),
        isNull(conversationParticipants.leftAt),
      ),
    );
  return row?.role;
}

export function addParticipant(deps: Deps, userId: string, input: z.output<typeof AddParticipant>) {
  return changeMembers(deps, userId, input.conversationId, async (step) => {
    const { membership, tx } = step;
    const offered = examineEpoch(input.epoch, input.conversationId, userId);
    if (offered.parsed && (await isRepeat(tx, offered.parsed))) return;
    requireRole(membership, input.role === 'member' ? 'moderator' : 'admin');
    requireActive(membership);
    if (await activeRole(tx, input.conversationId, input.userId))
      throw new ParleyError('CONFLICT', 'already_a_participant');
    const parsed = offered.require();
    const [added, ...more] = named(parsed, 'add');
    const right =
      added && added.op !== 'remove' && subject(added) === input.userId && added.member.role === rankOf(input.role);
    if (!right || more.length > 0 || named(parsed, 'role').length > 0) throw otherThan('the epoch adds somebody else');
    if (input.grant && input.grant.userId !== input.userId) throw otherThan('the grant is for somebody else');
    const size = await tx.$count(
      conversationParticipants,
      and(eq(conversationParticipants.conversationId, input.conversationId), isNull(conversationParticipants.leftAt)),
    );
    if (size >= LIMITS.participants)
      throw new ParleyError('BAD_REQUEST', 'too_many_participants', { limit: LIMITS.participants });
    await commitEpoch(step, parsed, { grant: input.grant ?? null, removing: null });
  });
}

export function removeParticipant(deps: Deps, userId: string, input: z.output<typeof RemoveParticipant>) {
  if (input.userId === userId) return leave(deps, userId, input.conversationId);
  return changeMembers(deps, userId, input.conversationId, async (step) => {
    const { membership, tx } = step;
    const offered = input.epoch ? examineEpoch(input.epoch, input.conversationId, userId) : undefined;
    if (offered?.parsed && (await isRepeat(tx, offered.parsed))) return;
    const role = await activeRole(tx, input.conversationId, input.userId);
    requireRole(membership, 'moderator');
    if (!role) throw notFound();
    if (role !== 'member') requireRole(membership, 'admin');
    requireActive(membership);
    if (!offered) throw otherThan('removing somebody needs an epoch');
    const parsed = offered.require();
    if (!named(parsed, 'remove').some((op) => subject(op) === input.userId) || named(parsed, 'add').length > 0)
      throw otherThan('the epoch removes somebody else');
    await commitEpoch(step, parsed, { grant: null, removing: input.userId });
  });
}

/** Who leaves must not choose the next key: the conversation waits for a rotation by its next sender. */
function leave(deps: Deps, userId: string, conversationId: string) {
  return changeMembers(deps, userId, conversationId, async ({ tx, membership, emit }) => {
    if (membership.type === 'direct') throw new ParleyError('FORBIDDEN', 'direct_is_fixed');
    const others = await tx.$count(
      conversationParticipants,
      and(
        eq(conversationParticipants.conversationId, conversationId),
        ne(conversationParticipants.userId, userId),
        isNull(conversationParticipants.leftAt),
      ),
    );
    if (others > 0) await requireAnotherAdmin(tx, membership, userId);
    const version = await takeVersions(tx, conversationId, 2);
    await tx
      .update(conversationParticipants)
      .set({ leftAt: sql`now()`, version, ownXid: currentXid, changedXid: currentXid })
      .where(
        and(eq(conversationParticipants.conversationId, conversationId), eq(conversationParticipants.userId, userId)),
      );
    await tx
      .update(conversations)
      .set({ rekeyRequired: true, isActive: others > 0, ownVersion: version + 1, ownXid: currentXid })
      .where(eq(conversations.id, conversationId));
    emit(conversationId, version, {
      type: 'participant',
      conversationId,
      userId,
      participant: null,
      removed: true,
      version,
    });
    const conversation = (await loadConversations(tx, [conversationId])).get(conversationId);
    if (conversation) emit(conversationId, version + 1, { type: 'conversation', conversation });
  });
}

export function setRole(deps: Deps, userId: string, input: z.output<typeof SetRole>) {
  return changeMembers(deps, userId, input.conversationId, async (step) => {
    const { membership, tx } = step;
    const offered = examineEpoch(input.epoch, input.conversationId, userId);
    if (offered.parsed && (await isRepeat(tx, offered.parsed))) return;
    requireRole(membership, 'admin');
    requireActive(membership);
    const role = await activeRole(tx, input.conversationId, input.userId);
    if (!role) throw notFound();
    if (role === 'admin' && input.role !== 'admin') await requireAnotherAdmin(tx, membership, input.userId);
    const parsed = offered.require();
    const [op, ...more] = named(parsed, 'role');
    const right = op && op.op !== 'remove' && subject(op) === input.userId && op.member.role === rankOf(input.role);
    if (!right || more.length > 0 || named(parsed, 'add').length > 0) throw otherThan('the epoch sets another role');
    await commitEpoch(step, parsed, { grant: null, removing: null });
  });
}

/** Anyone may rotate: it lets nobody in, and puts out only those who are gone already. */
export function rotate(deps: Deps, userId: string, input: { conversationId: string; epoch: Epoch }) {
  return changeMembers(deps, userId, input.conversationId, async (step) => {
    const parsed = parseEpoch(input.epoch, input.conversationId, userId);
    if (await isRepeat(step.tx, parsed)) return;
    requireActive(step.membership);
    const changes = named(parsed, 'add').length + named(parsed, 'role').length;
    if (parsed.record.kind !== 'rotate' || changes > 0) throw otherThan('a rotation only brings a new key');
    await commitEpoch(step, parsed, { grant: null, removing: null });
  });
}

/** A group with members always has an admin. */
async function requireAnotherAdmin(tx: Tx, membership: Membership, leavingId: string): Promise<void> {
  const admins = await tx
    .select({ userId: conversationParticipants.userId })
    .from(conversationParticipants)
    .where(
      and(
        eq(conversationParticipants.conversationId, membership.conversationId),
        eq(conversationParticipants.role, 'admin'),
        isNull(conversationParticipants.leftAt),
      ),
    );
  if (admins.some(({ userId }) => userId === leavingId) && admins.length === 1)
    throw new ParleyError('CONFLICT', 'last_admin');
}
