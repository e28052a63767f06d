/** Owns what the signed epoch records say happened to people and keys, for lines between messages. Nothing here is the server's word. */
import {
  ROLE_ADMIN,
  ROLE_MEMBER,
  ROLE_MODERATOR,
  type EpochOp,
  type EpochState,
  type MemberRole,
} from '#crypto/verify';
import { must } from '#lib/must';
import type { ChangeLine, PersonChange, Role } from '../types.ts';
import type { ConversationKeys } from './conversation-keys.ts';
import { reasonOf } from './error.ts';
import type { Identities } from './identities.ts';

const ROLES: Record<MemberRole, Role> = {
  [ROLE_MEMBER]: 'member',
  [ROLE_MODERATOR]: 'moderator',
  [ROLE_ADMIN]: 'admin',
};

export async function chronicle(conversation: ConversationKeys, identities: Identities): Promise<ChangeLine[]> {
  const lines = conversation.states.map(async (state, i): Promise<ChangeLine> => {
    const { record } = state;
    const before = conversation.states[i - 1];
    // That two people have begun to talk is said by the top of their conversation.
    const ops = record.direct && !before ? [] : record.ops;
    const changes = await Promise.all(ops.map((op) => changeOf(op, { state, before, identities })));
    return {
      epoch: record.epoch,
      seq: must(conversation.seqs[i], 'pushed together'),
      at: new Date(record.createdMs).toISOString(),
      authorId: record.authorId,
      changes,
    };
  });
  return (await Promise.all(lines)).filter(({ changes }) => changes.length > 0);
}

interface Situation {
  state: EpochState;
  before: EpochState | undefined;
  identities: Identities;
}

async function changeOf(op: EpochOp, { state, before, identities }: Situation): Promise<PersonChange> {
  switch (op.op) {
    case 'add':
      return { kind: before ? 'added' : 'began', userId: op.member.userId };
    case 'role':
      return { kind: 'role', userId: op.member.userId, role: ROLES[op.member.role] };
    case 'remove': {
      // Members remove nobody: they only rotate out who has left. Of others the record does not say which of the two it was.
      const author = before?.members.get(state.record.authorId)?.role ?? ROLE_MEMBER;
      return { kind: author === ROLE_MEMBER ? 'left' : 'gone', userId: op.userId };
    }
    case 'rekey': {
      const { userId, gen } = op.member;
      const isReset = await wasReset(identities, userId, (before?.members.get(userId)?.gen ?? 0) + 1, gen);
      return { kind: isReset ? 'reset' : 'rekeyed', userId };
    }
  }
}

/** Whether one of these generations was not signed by the one before. */
async function wasReset(identities: Identities, userId: string, from: number, to: number): Promise<boolean> {
  try {
    for (let gen = from; gen <= to; gen++) {
      if ((await identities.get(userId, gen)).record.kind === 'reset') return true;
    }
  } catch (error) {
    // Keys that do not pass their checks show at the messages; a lost connection is thrown on.
    reasonOf(error);
  }
  return false;
}
