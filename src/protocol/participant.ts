/** Participants: who is in a conversation, in which role, and how far they have come in it. */
import { z } from 'zod';
import { Id } from './ids.ts';
import { Epoch, Grant } from './keys.ts';
import { User } from './user.ts';

/** Roles by rank; the number is the one in signed epoch records. Both people of a direct conversation are members. */
export const ROLES = ['member', 'moderator', 'admin'] as const;
export const Role = z.enum(ROLES);
export type Role = z.infer<typeof Role>;
export const rankOf = (role: Role) => ROLES.indexOf(role);

export const Participant = z.object({
  user: User,
  role: Role,
  joinedAt: z.string(),
  /** Messages with a greater seq came after the person did. */
  joinedSeq: z.int(),
  /** Watermarks: everything up to this seq was delivered to, or read by, the person. They only grow. */
  deliveredSeq: z.int(),
  readSeq: z.int(),
});
export type Participant = z.infer<typeof Participant>;

export const AddParticipant = z.object({
  conversationId: Id,
  userId: Id,
  role: Role.default('member'),
  epoch: Epoch,
  grant: Grant.nullish(),
});
export const RemoveParticipant = z.object({ conversationId: Id, userId: Id, epoch: Epoch.nullish() });
export const SetRole = z.object({ conversationId: Id, userId: Id, role: Role, epoch: Epoch });
