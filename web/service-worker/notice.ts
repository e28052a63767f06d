/** What a notification says: one for each conversation, growing with its messages. Pure. */
import type { Arrival } from '../notifications/words.ts';

interface Line {
  readonly sender: string | null;
  readonly text: string | null;
}

/** Kept in the notification: what it tells of. */
export interface Told {
  readonly conversationId: string;
  readonly messageIds: readonly string[];
  readonly count: number;
  /** The last ones. */
  readonly lines: readonly Line[];
}

export interface Notice {
  readonly title: string;
  readonly body: string;
  readonly data: Told;
}

const LINES = 3;
const CHARACTERS = 200;
const IDS = 50;

/** Null when the notification that is there tells of this message already (P19). */
export function noticeOf(arrival: Arrival, before: Told | undefined): Notice | null {
  const { conversationId, messageId, sender, group, text } = arrival;
  if (before?.messageIds.includes(messageId)) return null;
  const line = { sender, text: text === null ? null : cut(text) };
  const data: Told = {
    conversationId,
    messageIds: [...(before?.messageIds ?? []), messageId].slice(-IDS),
    count: (before?.count ?? 0) + 1,
    lines: [...(before?.lines ?? []), line].slice(-LINES),
  };
  const voice = voiceOf(data, group);
  return { title: titleOf(voice, group), body: bodyOf(data, voice), data };
}

/** The one who says all of it. What could not be opened was said by somebody; of two people, that is always the other one. */
function voiceOf({ lines }: Told, group: string | null): string | null {
  const known = group === null ? lines.filter(({ sender }) => sender !== null) : lines;
  const first = known[0]?.sender ?? null;
  return known.every(({ sender }) => sender === first) ? first : null;
}

function titleOf(voice: string | null, group: string | null): string {
  if (group === null) return voice ?? 'Parley';
  return voice === null ? group : `${voice} in ${group}`;
}

function bodyOf({ lines, count }: Told, voice: string | null): string {
  const readable = lines.filter(({ text }) => text !== null);
  const said = readable.map(({ sender, text }) => (voice === null ? `${sender ?? 'Somebody'}: ${text}` : text));
  const number = count === 1 ? 'New message' : `${count} new messages`;
  return (readable.length < count ? [number, ...said] : said).join('\n');
}

/** Between characters, not in the middle of an emoji. */
function cut(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  const characters = [...line];
  return characters.length > CHARACTERS ? `${characters.slice(0, CHARACTERS - 1).join('')}…` : line;
}
