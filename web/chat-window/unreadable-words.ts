/** Why a message cannot be shown, and what to do about it: both for each of the known causes, in words for people. */
import type { UnreadableReason } from '#protocol/keys';

interface Words {
  why: string;
  advice: string;
}

const ASK = 'Ask them on another way what they wrote.';
const SERVER = 'If there are more of these, tell whoever runs this server.';
const COMPARE = 'Compare your safety numbers, then write on.';
const HEALS =
  'Your device makes new keys by itself, so what comes next will be readable; ask for this one to be sent again.';

const WORDS: Record<UnreadableReason, Words> = {
  BAD_FORMAT: { why: 'It arrived damaged.', advice: 'Ask for it to be sent again.' },
  BAD_VERSION: {
    why: 'It was written by a newer version of Parley than this one.',
    advice: 'Reload the page to get it.',
  },
  ROW_MISMATCH: {
    why: 'It does not belong where the server has put it, so it may have been moved or exchanged.',
    advice: SERVER,
  },
  WRONG_CONVERSATION: { why: 'It was written for another conversation.', advice: SERVER },
  EPOCH_MISMATCH: { why: 'It does not fit the list of people in this conversation.', advice: SERVER },
  BAD_EPOCH: { why: 'The list of people in this conversation does not pass its checks.', advice: SERVER },
  EPOCH_ROLLBACK: { why: 'The server went back to an older list of people.', advice: SERVER },
  EPOCH_FORK: {
    why: 'The server tells different people different lists of who is here.',
    advice: 'Ask the others on another way who is in this conversation.',
  },
  BAD_SIGNATURE: {
    why: 'The signature is not that of the person it claims to come from, so it may have been forged.',
    advice: 'Ask them on another way whether they wrote it.',
  },
  NOT_A_MEMBER: { why: 'Its author was not part of this conversation.', advice: SERVER },
  NO_IDENTITY: {
    why: 'The keys of its author are not known.',
    advice: 'Reload the page, and ask them if that does not help.',
  },
  BAD_IDENTITY: { why: 'The keys of its author do not pass their checks.', advice: COMPARE },
  PIN_MISMATCH: { why: 'The keys of its author are not the ones known from before.', advice: COMPARE },
  FORGED_SENDER: { why: 'It was not written by the person the server says it is from.', advice: ASK },
  NOT_ALLOWED: {
    why: 'Its author was not allowed to do that here.',
    advice: 'If they should be, ask an admin for the right role.',
  },
  LATE_EPOCH: {
    why: 'It was locked with a key that was no longer in use.',
    advice: 'Somebody who has left may have tried to write. Ask its author if you expected it.',
  },
  REPLAY: { why: 'It is a message from before, given again in another place.', advice: SERVER },
  ROLLBACK: { why: 'It is older than what was here already.', advice: `Reload the page. ${SERVER}` },
  EQUIVOCATION: { why: 'It is not what the same message said before.', advice: ASK },
  BEFORE_JOIN: {
    why: 'It was written while you were not in this conversation.',
    advice: 'Whoever adds people can let them read earlier messages.',
  },
  BEFORE_RESET: {
    why: 'It was locked for keys of yours that are gone since you started over.',
    advice: 'Whoever still has it can send it to you again.',
  },
  NO_EPOCH_KEY: { why: 'The key for it never reached you.', advice: HEALS },
  BAD_WRAP: { why: 'Somebody gave you a wrong key for it.', advice: HEALS },
  BAD_GRANT: {
    why: 'Whoever let you read earlier messages gave you a wrong key for it.',
    advice: 'Ask another admin to add you again.',
  },
  KEY_COMMIT: { why: 'The key that came with it is not the one everybody else has.', advice: HEALS },
  DECRYPT: { why: 'It was changed on its way, or locked with a key that is not ours.', advice: ASK },
  OTHER: {
    why: 'It did not pass the checks that prove who wrote it and that nobody changed it.',
    advice: `Reload the page. ${SERVER}`,
  },
};

/** A sentence or two of each, whatever the reason. */
export function unreadableWords(reason: string): string {
  const { why, advice } = WORDS[reason as UnreadableReason] ?? WORDS.OTHER;
  return `${why} ${advice}`;
}
