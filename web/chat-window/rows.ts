/** Turns a timeline into the rows of the list: days, the "New" line, and which messages stand together. Pure. */
import type { MessageView, Timeline } from '#client/types';
import { dayKey } from '../time.ts';

export type Row =
  | { kind: 'start'; key: string }
  | { kind: 'day'; key: string; at: string }
  | { kind: 'unread'; key: string }
  /** Air below the last message. */
  | { kind: 'end'; key: string }
  | MessageRowData;

export interface MessageRowData {
  kind: 'message';
  key: string;
  /** First and last of a group of one author within a few minutes. */
  first: boolean;
  last: boolean;
}

/** Messages of one author closer than this belong together. */
const TOGETHER_MS = 5 * 60_000;

interface Options {
  /** Messages of others after this seq are new; null when there is no line to draw. */
  unreadAfter: number | null;
  me: string;
}

export function buildRows(timeline: Timeline, { unreadAfter, me }: Options): Row[] {
  const ids = timeline.hasNewer ? timeline.ids : [...timeline.ids, ...timeline.pending];
  const rows: Row[] = timeline.hasOlder ? [] : [{ kind: 'start', key: 'start' }];
  let previous: MessageView | undefined;
  let group: MessageRowData | undefined;
  let lineDrawn = unreadAfter === null || !knowsUnread(timeline, unreadAfter);
  for (const id of ids) {
    const message = timeline.byId.get(id);
    if (!message) continue;
    const day = dayKey(message.createdAt);
    const newDay = previous ? dayKey(previous.createdAt) !== day : !timeline.hasOlder;
    if (newDay) rows.push({ kind: 'day', key: `day-${day}`, at: message.createdAt });
    const isNew = !lineDrawn && message.senderId !== me && message.seq !== null && message.seq > (unreadAfter ?? 0);
    if (isNew) {
      rows.push({ kind: 'unread', key: 'unread' });
      lineDrawn = true;
    }
    const joins = previous && !newDay && !isNew && belongs(previous, message);
    if (joins && group) group.last = false;
    group = { kind: 'message', key: id, first: !joins, last: true };
    rows.push(group);
    previous = message;
  }
  rows.push({ kind: 'end', key: 'end' });
  return rows;
}

/** Whether the loaded part reaches back to the first message after this seq; otherwise the line would stand too low. */
export function knowsUnread(timeline: Timeline, unreadAfter: number): boolean {
  const first = timeline.byId.get(timeline.ids[0] ?? '')?.seq;
  return !timeline.hasOlder || (first != null && first <= unreadAfter + 1);
}

function belongs(previous: MessageView, message: MessageView): boolean {
  const reply = message.content.kind === 'text' && message.content.replyTo !== null;
  return (
    !reply &&
    previous.senderId === message.senderId &&
    previous.type !== 'system' &&
    message.type !== 'system' &&
    Math.abs(Date.parse(message.createdAt) - Date.parse(previous.createdAt)) < TOGETHER_MS
  );
}

/** The newest day at or above a row, for the floating label. */
export function dayAt(rows: Row[], index: number, timeline: Timeline): string | undefined {
  for (const row of rows.slice(index)) {
    if (row.kind === 'day') return row.at;
    if (row.kind === 'message') return timeline.byId.get(row.key)?.createdAt;
  }
  return undefined;
}
