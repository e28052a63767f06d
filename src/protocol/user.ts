/** People: what others see of them, and what they may change. */
import { z } from 'zod';
import { Id } from './ids.ts';
import { LIMITS } from './limits.ts';
import { text } from './text.ts';

/** What anyone signed in may see of a person. */
export const User = z.object({
  id: Id,
  username: z.string(),
  displayName: z.string(),
  avatarUrl: z.string().nullable(),
});
export type User = z.infer<typeof User>;

/** What others may see of me. It goes both ways: who hides something does not see it of others either. */
export const Privacy = z.object({
  /** That I have read a message. That it was delivered is always told. */
  receipts: z.boolean(),
  /** Whether I am online, and when I was last. */
  presence: z.boolean(),
  typing: z.boolean(),
});
export type Privacy = z.infer<typeof Privacy>;

/** The caller's own account: the same, the e-mail address, and what is shared. */
export const Me = User.extend({ email: z.string(), privacy: Privacy });
export type Me = z.infer<typeof Me>;

export const Username = z
  .string()
  .trim()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{1,63}$/, 'username: 2 to 64 letters, digits, dots, dashes or underscores');
export const Email = z.string().trim().max(254).pipe(z.email());
export const DisplayName = text().trim().min(1).max(64);

export const UpdateUser = z.object({
  displayName: DisplayName.optional(),
  /** https only: a picture must not be fetched over a road others can read. */
  avatarUrl: text()
    .max(2_000)
    .pipe(z.url({ protocol: /^https$/ }))
    .nullish(),
  /** What is not named stays as it is. */
  privacy: Privacy.partial().optional(),
});
export const SearchUsers = z.object({
  query: text().trim().min(1).max(64),
  limit: z.int().min(1).max(LIMITS.page).default(20),
});
export const UsersByIds = z.object({ userIds: z.array(Id).min(1).max(LIMITS.userIds) });
