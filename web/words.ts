/** What can go wrong, in words for people. One table: reasons of the server, codes of the cryptography, states of the network. */
import type { Reason } from '#protocol/errors';

const REASONS: Partial<Record<Reason, string>> = {
  invalid_input: 'Something in the form is not right. Please check it and try again.',
  invalid_credentials: 'That name and password do not go together. Please try again.',
  invalid_code: 'This code is not right, or too old. You can ask for another one.',
  code_required: 'This needs a code. Please ask for one first.',
  settings_stale: 'Another device of yours was just saving something. Please try again.',
  token_expired: 'Your session has ended. Please log in again.',
  session_revoked: 'This device was signed out from another one.',
  not_signed_in: 'Please log in first.',
  role_too_low: 'Your role in this group does not allow that.',
  not_the_author: 'Only the person who wrote a message can change it.',
  direct_is_fixed: 'A conversation between two people cannot be changed like that.',
  not_found: 'That does not exist any more, or you are not part of it.',
  username_taken: 'Somebody already has this username.',
  email_taken: 'There is already an account with this e-mail address.',
  bad_format: 'The server did not accept this. Please check that the clock of this device is right.',
  conversation_archived: 'This conversation has been archived, so nothing new can be sent.',
  revision_stale: 'Somebody was faster: the message has changed in the meantime.',
  message_deleted: 'The message has been deleted in the meantime.',
  already_reacted: 'You have already reacted with this emoji.',
  already_a_participant: 'This person is already in the group.',
  last_admin: 'You are the only admin. Make somebody else an admin first.',
  too_large: 'That is too long to be sent in one message.',
  file_too_large: 'That file is larger than this server takes.',
  quota_exceeded: 'There is no room left for your files on this server. Delete some that you have sent.',
  too_many_files: 'Too many files of yours are waiting to be sent. Please let some of them finish first.',
  attachment_unknown: 'The files did not stay on the server. Please send them again.',
  too_many_participants: 'The group is full.',
  too_many_reactions: 'You have used all the reactions one person can put on a message.',
  rate_limited: 'That was a little too fast. Please wait a moment and try again.',
  overloaded: 'The server is very busy. Please try again in a moment.',
  self_conversation: 'You cannot start a conversation with yourself.',
  identity_stale: 'Somebody’s keys have just changed. Please try again.',
  epoch_stale: 'The keys of this conversation have just changed. Please try again.',
  epoch_conflict: 'Somebody changed the group at the same moment. Please try again.',
  internal: 'Something went wrong on the server. Please try again.',
};

/** Why nothing is locked for these people: what was found wrong with keys on this device. */
const UNSAFE: Record<string, string> = {
  PIN_MISMATCH: 'The keys of somebody here are not the ones known from before, so nothing is sent.',
  OWN_IDENTITY_MISMATCH: 'The server gave keys for you that are not yours, so nothing is opened or sent.',
  OWN_IDENTITY_ROLLBACK: 'Others were given newer keys of yours than this device has, so nothing is sent.',
  contact_changed: 'The keys of somebody here are not the ones you compared, so nothing is sent.',
  EPOCH_FORK: 'The server tells different people different lists of who is here, so nothing is sent.',
  EPOCH_ROLLBACK: 'The server went back to an older list of people, so nothing is sent.',
  BAD_EPOCH: 'The list of people in this conversation does not pass its checks, so nothing is sent.',
  NO_EPOCH_KEY: 'The key of this conversation has not reached this device.',
  BAD_RECOVERY_KEY: 'There is a slip in the recovery key. Please compare it once more.',
};

/** What files go through. */
const FILES: Record<string, string> = {
  FILE_UNREADABLE: 'The file cannot be read any more. It may have been moved or changed since; please choose it again.',
};

/** What this device cannot know by itself. */
const OPEN: Record<string, string> = {
  outcome_unknown:
    'No answer came, so your new password may already be in force. Press the button again when you are online, or try logging in with it.',
};

const reasonOf = (error: unknown): string | undefined => {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('reason' in error && typeof error.reason === 'string') return error.reason;
  const data = 'data' in error ? error.data : undefined;
  if (typeof data === 'object' && data !== null && 'reason' in data) return String(data.reason);
  return undefined;
};

/** Why something failed, as a sentence. */
export function plainWords(error: unknown): string {
  return wordsForReason(typeof error === 'string' ? error : reasonOf(error));
}

export function wordsForReason(reason: string | undefined): string {
  const known = REASONS[reason as Reason] ?? UNSAFE[reason ?? ''] ?? FILES[reason ?? ''] ?? OPEN[reason ?? ''];
  if (known) return known;
  return navigator.onLine
    ? 'That did not work. Please try again in a moment.'
    : 'You seem to be offline. Please try again when you are back.';
}
