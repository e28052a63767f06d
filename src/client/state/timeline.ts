/** Owns the loaded window of one conversation's history: contiguous, in the order of seq, my unsent messages behind it. */
import type { Doubt, MessageView, SendState, Timeline } from '../types.ts';
import { beneath } from './layers.ts';
import { MessageTable } from './message-table.ts';

/** What is stored replaces what is only on its way; of two stored states the later one stands. */
function isNewer(message: MessageView, known: MessageView | undefined): boolean {
  return known === undefined || known.seq === null || message.version > known.version;
}

/** A message as it stands now, if it belongs into the window. */
export function putMessage(timeline: Timeline, message: MessageView): Timeline {
  const known = timeline.byId.get(message.id);
  if (known?.seq === null) return settle(timeline, message);
  if (known) return isNewer(message, known) ? { ...timeline, byId: timeline.byId.with(message) } : timeline;
  if (!belongs(timeline, message)) return timeline;
  return { ...timeline, ids: insertBySeq(timeline, message), byId: timeline.byId.with(message) };
}

export function putEcho(timeline: Timeline, message: MessageView): Timeline {
  const known = beneath(timeline, message.id);
  // Written anew before it has left the device, here or in another tab.
  if (known?.seq === null) return { ...timeline, byId: timeline.byId.with(message) };
  if (known) return timeline;
  // By id, which is by time: what several tabs have written is told in any order.
  const isLast = message.id > (timeline.pending.at(-1) ?? '');
  const pending = [...timeline.pending, message.id];
  if (!isLast) pending.sort();
  return { ...timeline, pending, byId: timeline.byId.with(message) };
}

export function setSending(timeline: Timeline, messageId: string, send: SendState): Timeline {
  const known = beneath(timeline, messageId);
  // Stored is final: a late failure of a call whose message has come by the feed changes nothing.
  if (!known || known.seq !== null) return timeline;
  if (known.send.step === send.step && send.step !== 'failed') return timeline;
  return { ...timeline, byId: timeline.byId.with({ ...known, send }) };
}

export function setDoubts(timeline: Timeline, { messageId, doubts }: { messageId: string; doubts: Doubt[] }): Timeline {
  const known = beneath(timeline, messageId);
  return known ? { ...timeline, byId: timeline.byId.with({ ...known, doubts }) } : timeline;
}

export function discardEcho(timeline: Timeline, messageId: string): Timeline {
  if (timeline.byId.get(messageId)?.seq !== null) return timeline;
  const pending = timeline.pending.filter((id) => id !== messageId);
  return { ...timeline, pending, byId: timeline.byId.without(messageId) };
}

export interface Page {
  /** Oldest first. */
  messages: MessageView[];
  place: 'replace' | 'older' | 'newer';
  hasOlder?: boolean;
  hasNewer?: boolean;
}

export function putPage(timeline: Timeline, page: Page): Timeline {
  const { messages, place, hasOlder = timeline.hasOlder, hasNewer = timeline.hasNewer } = page;
  const base = place === 'replace' ? cleared(timeline, page) : timeline;
  const opened: Timeline = { ...base, hasOlder, hasNewer, loading: 'none', problem: null };
  const byId = opened.byId.withAll(messages.filter((message) => isNewer(message, opened.byId.get(message.id))));
  const stored = new Set([...opened.ids, ...messages.map(({ id }) => id)]);
  const ids = [...stored].sort((a, b) => (byId.get(a)?.seq ?? 0) - (byId.get(b)?.seq ?? 0));
  return { ...opened, ids, byId, pending: opened.pending.filter((id) => !stored.has(id)) };
}

/** The window ends where it ends now, and what is newer has to be loaded. */
export function cut(timeline: Timeline): Timeline {
  return timeline.hasNewer || timeline.ids.length === 0 ? timeline : { ...timeline, hasNewer: true };
}

/** True when a message inside the window is missing: an early one came before a late one. */
export function hasGap({ ids, byId }: Timeline): boolean {
  const first = byId.get(ids[0] ?? '')?.seq;
  const last = byId.get(ids.at(-1) ?? '')?.seq;
  return typeof first === 'number' && typeof last === 'number' && last - first + 1 !== ids.length;
}

/** A new window: of the old one only unsent messages stay, and what came live behind the end of the page while it loaded. */
function cleared(timeline: Timeline, { messages, hasNewer }: Page): Timeline {
  const end = messages.at(-1)?.seq ?? 0;
  const ids = hasNewer ? [] : timeline.ids.filter((id) => (timeline.byId.get(id)?.seq ?? 0) > end);
  const kept = [...ids, ...timeline.pending].flatMap((id) => {
    const message = timeline.byId.get(id);
    return message ? [message] : [];
  });
  return { ...timeline, ids, byId: MessageTable.of(kept) };
}

/** An echo becomes the stored message: out of the pending ones, into its place if that is loaded. */
function settle(timeline: Timeline, message: MessageView): Timeline {
  const pending = timeline.pending.filter((id) => id !== message.id);
  if (!belongs(timeline, message)) return { ...timeline, pending, byId: timeline.byId.without(message.id) };
  return { ...timeline, pending, ids: insertBySeq(timeline, message), byId: timeline.byId.with(message) };
}

/** Whether the window, as it is loaded, has a place for it. */
export function belongs({ ids, byId, hasOlder, hasNewer }: Timeline, { seq }: Pick<MessageView, 'seq'>): boolean {
  if (seq === null) return false;
  const first = byId.get(ids[0] ?? '')?.seq;
  const last = byId.get(ids.at(-1) ?? '')?.seq;
  if (typeof first !== 'number' || typeof last !== 'number') return !hasNewer;
  if (seq > last) return !hasNewer;
  return seq > first || !hasOlder;
}

function insertBySeq({ ids, byId }: Timeline, { id, seq }: MessageView): string[] {
  // Nearly always the newest: look from the end.
  let at = ids.length;
  while (at > 0 && (byId.get(ids[at - 1] ?? '')?.seq ?? 0) > (seq ?? 0)) at--;
  return [...ids.slice(0, at), id, ...ids.slice(at)];
}
