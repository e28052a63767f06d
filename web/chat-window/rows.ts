/** Turns a timeline into the rows of the list: days, the "New" line, and which messages stand together. Pure. */
import type { ChangeLine, MessageView, Timeline } from '#client/types';
import { dayKey } from '../time.ts';

export type Row =
  | { kind: 'start'; key: string }
  | { kind: 'day'; key: string; at: string }
  | { kind: 'unread'; key: string }
  /** People and keys: everything between two messages. */
  | { kind: 'changes'; key: string; lines: ChangeLine[] }
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
  /** In the order of epochs. */
  changes?: readonly ChangeLine[];
}

export function buildRows(timeline: Timeline, { unreadAfter, me, changes = [] }: Options): Row[] {
  const ids = timeline.hasNewer ? timeline.ids : [...timeline.ids, ...timeline.pending];
  const rows: Row[] = timeline.hasOlder ? [] : [{ kind: 'start', key: 'start' }];
  const waiting = changes.filter((line) => belongsHere(timeline, line));
  let previous: MessageView | undefined;
  let group: MessageRowData | undefined;
  let lineDrawn = unreadAfter === null || !knowsUnread(timeline, unreadAfter);
  for (const id of ids) {
    const message = timeline.byId.get(id);
    if (!message) continue;
    const isApart = putChanges(rows, waiting, message.seq ?? Number.POSITIVE_INFINITY);
    const day = dayKey(message.createdAt);
    const newDay = previous ? dayKey(previous.createdAt) !== day : !timeline.hasOlder;
    if (newDay) rows.push({ kind: 'day', key: `day-${day}`, at: message.createdAt });
    const isNew = !lineDrawn && message.senderId !== me && message.seq !== null && message.seq > (unreadAfter ?? 0);
    if (isNew) {
      rows.push({ kind: 'unread', key: 'unread' });
      lineDrawn = true;
    }
    const joins = previous && !newDay && !isNew && !isApart && belongs(previous, message);
    if (joins && group) group.last = false;
    group = { kind: 'message', key: id, first: !joins, last: true };
    rows.push(group);
    previous = message;
  }
  putChanges(rows, waiting, Number.POSITIVE_INFINITY);
  rows.push({ kind: 'end', key: 'end' });
  return rows;
}

/** Everything that happened before that message and has no place yet. */
function putChanges(rows: Row[], waiting: ChangeLine[], seq: number): boolean {
  const end = waiting.findIndex((line) => line.seq >= seq);
  const lines = waiting.splice(0, end < 0 ? waiting.length : end);
  const [first] = lines;
  if (first) rows.push({ kind: 'changes', key: `changes-${first.epoch}`, lines });
  return first !== undefined;
}

/** Whether the place is in the loaded part. What happened before the first message that I may see is shown to those who were there. */
function belongsHere({ byId, ids, hasNewer, hasOlder }: Timeline, { seq }: ChangeLine): boolean {
  const first = byId.get(ids[0] ?? '')?.seq ?? 1;
  const last = byId.get(ids.at(-1) ?? '')?.seq ?? 0;
  if (hasNewer && seq >= last) return false;
  return seq >= (hasOlder ? first : first - 1);
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
