/** Which rows a timeline becomes: days, the "New" line, groups of one author. */
import { describe, expect, test } from 'vitest';
import { MessageTable } from '#client/state/message-table';
import type { ChangeLine, MessageView, PersonChange, Timeline } from '#client/types';
import { changeWords } from '../../web/chat-window/change-words.ts';
import { buildRows, knowsUnread } from '../../web/chat-window/rows.ts';

const NOON = Date.parse('2026-03-10T12:00:00');
const MINUTE = 60_000;

interface Line {
  seq: number | null;
  by?: string;
  at?: number;
  replyTo?: string;
}

function message({ seq, by = 'bo', at = NOON + (seq ?? 99) * MINUTE, replyTo }: Line): MessageView {
  return {
    id: `m${seq ?? 'new'}`,
    conversationId: 'c',
    seq,
    senderId: by,
    type: 'text',
    content: { kind: 'text', body: 'x', replyTo: replyTo ?? null },
    isEdited: false,
    isDeleted: false,
    createdAt: new Date(at).toISOString(),
    editedAt: null,
    reactions: [],
    send: { step: 'stored' },
    acts: [],
    version: 1,
    revision: 0,
    firstKeyEpoch: 0,
  };
}

function timeline(lines: Line[], patch: Partial<Timeline> = {}): Timeline {
  const messages = lines.map(message);
  return {
    ids: messages.filter(({ seq }) => seq !== null).map(({ id }) => id),
    pending: messages.filter(({ seq }) => seq === null).map(({ id }) => id),
    byId: MessageTable.of(messages),
    layers: {},
    hasOlder: false,
    hasNewer: false,
    loading: 'none',
    problem: null,
    ...patch,
  };
}

const keys = (of: Timeline, unreadAfter: number | null = null) =>
  buildRows(of, { unreadAfter, me: 'me' }).map((row) => (row.kind === 'day' ? 'day' : row.key));
const groups = (of: Timeline) =>
  buildRows(of, { unreadAfter: null, me: 'me' }).flatMap((row) =>
    row.kind === 'message' ? [[row.first, row.last]] : [],
  );

describe('rows', () => {
  test('the beginning, a day, the messages, what waits, and air below', () => {
    expect(keys(timeline([{ seq: 1 }, { seq: null, by: 'me' }]))).toEqual(['start', 'day', 'm1', 'mnew', 'end']);
  });

  test('a window with more above begins with a message: its day may have begun earlier', () => {
    expect(keys(timeline([{ seq: 5 }, { seq: 6 }], { hasOlder: true }))).toEqual(['m5', 'm6', 'end']);
  });

  test('a window with more below does not show what waits to be sent: that belongs to the end', () => {
    expect(keys(timeline([{ seq: 1 }, { seq: null, by: 'me' }], { hasNewer: true }))).toEqual([
      'start',
      'day',
      'm1',
      'end',
    ]);
  });

  test('rows added above leave the keys below as they were', () => {
    const before = keys(timeline([{ seq: 3 }, { seq: 4 }], { hasOlder: true }));
    const after = keys(timeline([{ seq: 1 }, { seq: 2 }, { seq: 3 }, { seq: 4 }]));
    expect(after.slice(-before.length)).toEqual(before);
  });

  test('a day line stands wherever midnight lies between two messages', () => {
    const late = Date.parse('2026-03-10T23:59:00');
    expect(
      keys(
        timeline([
          { seq: 1, at: late },
          { seq: 2, at: late + 2 * MINUTE },
        ]),
      ),
    ).toEqual(['start', 'day', 'm1', 'day', 'm2', 'end']);
  });

  test('one author within five minutes is a group; a reply, another author, or a pause ends it', () => {
    const at = (minutes: number) => NOON + minutes * MINUTE;
    const lines = [
      { seq: 1, at: at(0) },
      { seq: 2, at: at(4) },
      { seq: 3, at: at(5), replyTo: 'm1' },
      { seq: 4, at: at(6), by: 'me' },
      { seq: 5, at: at(20), by: 'me' },
    ];
    expect(groups(timeline(lines))).toEqual([
      [true, false],
      [false, true],
      [true, true],
      [true, true],
      [true, true],
    ]);
  });

  test('the "New" line stands above the first unread message that is not mine', () => {
    const of = timeline([{ seq: 1 }, { seq: 2, by: 'me' }, { seq: 3 }, { seq: 4 }]);
    expect(keys(of, 1)).toEqual(['start', 'day', 'm1', 'm2', 'unread', 'm3', 'm4', 'end']);
    expect(keys(of, 4)).not.toContain('unread');
  });

  test('no line is drawn while its place is not loaded', () => {
    const of = timeline([{ seq: 30 }, { seq: 31 }], { hasOlder: true });
    expect(knowsUnread(of, 10)).toBe(false);
    expect(keys(of, 10)).not.toContain('unread');
    expect(knowsUnread(of, 29)).toBe(true);
    expect(keys(of, 29)).toEqual(['unread', 'm30', 'm31', 'end']);
  });
});

describe('what happened to people and keys', () => {
  const line = (epoch: number, seq: number): ChangeLine => ({ epoch, seq, at: '', authorId: 'bo', changes: [] });
  const kept = (of: Timeline, changes: ChangeLine[]) =>
    buildRows(of, { unreadAfter: null, me: 'me', changes }).flatMap((row): (string | number[])[] => {
      if (row.kind === 'changes') return [row.lines.map(({ epoch }) => epoch)];
      return row.kind === 'message' ? [row.key] : [];
    });

  test('stands after the message it followed, together with its neighbours, and before what is not sent yet', () => {
    const changes = [line(0, 0), line(1, 1), line(2, 1), line(3, 2)];
    const lines: Line[] = [{ seq: 1 }, { seq: 2 }, { seq: null, by: 'me' }];
    expect(kept(timeline(lines), changes)).toEqual([[0], 'm1', [1, 2], 'm2', [3], 'mnew']);
  });

  test('only where its place is loaded; and what was before the first message I may see is not mine to see', () => {
    const changes = [line(0, 0), line(1, 3), line(2, 4), line(3, 5), line(4, 9)];
    const lines: Line[] = [{ seq: 4 }, { seq: 5 }];
    expect(kept(timeline(lines, { hasOlder: true, hasNewer: true }), changes)).toEqual(['m4', [2], 'm5']);
    expect(kept(timeline(lines), changes)).toEqual([[1], 'm4', [2], 'm5', [3, 4]]);
  });

  test('says who did what, in sentences', () => {
    const nameOf = (id: string) => ({ me: 'You', an: 'Ann', bo: 'Bo', cy: 'Cy', di: 'Di' })[id] ?? '?';
    const say = (authorId: string, changes: PersonChange[]) =>
      changeWords({ epoch: 1, seq: 1, at: '', authorId, changes }, nameOf);
    const added = ['me', 'an', 'bo', 'cy', 'di'].map((userId) => ({ kind: 'added' as const, userId }));
    expect(say('an', added.slice(0, 1))).toEqual(['Ann added you']);
    expect(say('me', added.slice(1, 3))).toEqual(['You added Ann and Bo']);
    expect(say('me', added.slice(1))).toEqual(['You added Ann, Bo, Cy and Di']);
    expect(say('an', [{ kind: 'began', userId: 'an' }])).toEqual(['Ann created the group']);
    expect(say('an', [{ kind: 'left', userId: 'bo' }])).toEqual(['Bo left']);
    expect(say('an', [{ kind: 'gone', userId: 'bo' }])).toEqual(['Bo is not in the group any more']);
    expect(say('an', [{ kind: 'role', userId: 'me', role: 'admin' }])).toEqual(['Ann made you an admin']);
    expect(say('an', [{ kind: 'rekeyed', userId: 'an' }])).toEqual(['Ann has new keys']);
    expect(say('an', [{ kind: 'reset', userId: 'bo' }])).toEqual(['Bo has new keys, made without the old ones']);
  });
});
