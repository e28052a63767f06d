/** What I have done lies over the message until the server has it; and what is done to the unsent becomes part of it. Pure. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ActView, ChatState, MessageView, ReactionView } from '#client/types';
import { must } from '#lib/must';
import { reconnectMs } from '../../src/client/backoff.ts';
import type { Act, Entry } from '../../src/client/outbox/entry.ts';
import { fold } from '../../src/client/outbox/fold.ts';
import { applyChanges } from '../../src/client/state/apply.ts';
import type { Change } from '../../src/client/state/change.ts';
import { EMPTY_STATE } from '../../src/client/state/shape.ts';

const ME = 'me';
const C = 'c';
const AT = '2026-01-01T00:00:00.000Z';

const message = (version: number, change: Partial<MessageView> = {}): MessageView => ({
  id: 'm',
  conversationId: C,
  seq: 1,
  senderId: ME,
  type: 'text',
  content: { kind: 'text', body: 'before', replyTo: null },
  isEdited: false,
  isDeleted: false,
  createdAt: AT,
  editedAt: null,
  reactions: [],
  send: { step: 'stored' },
  acts: [],
  version,
  firstKeyEpoch: 0,
  revision: 0,
  ...change,
});
const start: Change[] = [
  { type: 'me', me: { id: ME, username: ME, displayName: ME, avatarUrl: null, email: 'me@example.org' } as never },
  { type: 'window', conversationId: C, messages: [message(1)], place: 'replace', hasOlder: false, hasNewer: false },
];
const after = (...changes: Change[]): ChatState => applyChanges(EMPTY_STATE, [...start, ...changes]);
const shown = (state: ChatState) => must(state.timelines[C]?.byId.get('m'), 'there from the start');
const act = (one: ActView): Change => ({ type: 'act', conversationId: C, messageId: 'm', act: one });
const acted = (one: ActView, since: number | null, tag?: string): Change => ({
  type: 'acted',
  conversationId: C,
  messageId: 'm',
  act: one,
  since,
  tag,
});
const put = (one: MessageView): Change => ({ type: 'message', message: one });

const edit: ActView = { id: '1', failed: null, kind: 'edit', body: 'after', at: AT };
const remove: ActView = { id: '2', failed: null, kind: 'delete' };
const react: ActView = { id: '3', failed: null, kind: 'react', emoji: '👍' };
const thumb = (userIds: string[]): ReactionView => ({
  tag: 'T',
  emoji: '👍',
  count: userIds.length,
  mine: userIds.includes(ME),
  userIds,
});
const body = ({ content }: MessageView) => (content.kind === 'text' ? content.body : content.kind);

describe('what I have done to a message', () => {
  it('is seen at once, and taken back without a trace', () => {
    const before = after();
    for (const one of [edit, remove, react]) {
      const over = applyChanges(before, [act(one)]);
      expect(shown(over)).not.toEqual(shown(before));
      expect(shown(over).acts).toEqual([one]);
      expect(applyChanges(over, [acted(one, null)])).toEqual(before);
    }
  });

  it('stays over what the feed tells meanwhile, which shows again below it', () => {
    const told = put(
      message(2, { content: { kind: 'text', body: 'elsewhere', replyTo: null }, reactions: [thumb(['b'])] }),
    );
    const over = after(act(edit), told);
    expect(shown(over)).toMatchObject({ content: { body: 'after' }, version: 2, reactions: [{ userIds: ['b'] }] });
    expect(body(shown(applyChanges(over, [acted(edit, null)])))).toBe('elsewhere');
  });

  it('[P13] done, is so: by the answer or by the feed, whichever comes first', () => {
    const told = put(
      message(2, { content: { kind: 'text', body: 'after', replyTo: null }, isEdited: true, revision: 1 }),
    );
    for (const changes of [
      [act(edit), acted(edit, 1), told],
      [act(edit), told, acted(edit, 1)],
    ]) {
      expect(shown(after(...changes))).toEqual(shown(after(told)));
      expect(after(...changes).timelines[C]?.layers).toEqual({});
    }
    expect(shown(after(act(edit), acted(edit, 1)))).toMatchObject({ isEdited: true, revision: 1 });
  });

  it('[P13] and nothing that came after it is overwritten by it', () => {
    const later = put(message(3, { content: { kind: 'deleted' }, isDeleted: true }));
    expect(shown(after(act(edit), later, acted(edit, 1)))).toEqual(shown(after(later)));
  });

  it('a reaction joins those that are there, once, under the tag that the server will give', () => {
    const theirs = put(message(2, { reactions: [thumb(['b'])] }));
    expect(shown(after(theirs, act(react))).reactions).toEqual([thumb(['b', ME])]);
    expect(shown(after(act(react), acted(react, 1, 'T'))).reactions).toEqual([thumb([ME])]);
    const both = put(message(2, { reactions: [thumb(['b', ME])] }));
    expect(shown(after(act(react), both)).reactions).toEqual([thumb(['b', ME])]);
    const away: ActView = { id: '4', failed: null, kind: 'unreact', emoji: '👍', tag: 'T' };
    expect(shown(after(both, act(away))).reactions).toEqual([thumb(['b'])]);
  });

  it('refused, says why; a refused text is still shown, a refused deletion is not', () => {
    const refused = (one: ActView): ActView => ({ ...one, failed: 'role_too_low' });
    expect(body(shown(after(act(edit), act(refused(edit)))))).toBe('after');
    expect(body(shown(after(act(remove), act(refused(remove)))))).toBe('before');
    expect(shown(after(act(refused(remove)))).acts).toMatchObject([{ failed: 'role_too_low' }]);
  });

  it('waits for a message that is not loaded yet', () => {
    const early = applyChanges(EMPTY_STATE, [must(start[0], 'me'), act(edit), must(start[1], 'the page')]);
    expect(body(shown(early))).toBe('after');
  });
});

describe('what is done to the unsent', () => {
  let count = 0;
  const entry = (one: Act, change: Partial<Entry> = {}): Entry => {
    const id = String(++count).padStart(6, '0');
    return { id, conversationId: C, createdMs: 0, act: one, sealed: null, attempted: false, failed: null, ...change };
  };
  const send = (change: Partial<Entry> = {}) =>
    entry(
      { kind: 'send', payload: { t: 'text', body: 'draft' } },
      { sealed: { contentEncrypted: 'x', keyEpoch: 0, since: 0 }, ...change },
    );
  const edited = (messageId: string, text: string) => entry({ kind: 'edit', messageId, body: text });
  const texts = (entries: Entry[]) =>
    entries.map(({ act: one }) => (one.kind === 'send' ? one.payload.body : one.kind));

  it('[P20] an edit becomes its text, the last one counts, and a refusal is forgotten', () => {
    const one = send({ failed: 'too_large', sealed: { contentEncrypted: 'x', keyEpoch: 0, since: 0 } });
    const acts = [edited(one.id, 'better'), edited(one.id, 'best')];
    const { changed, dropped } = fold([one, ...acts]);
    expect(texts(changed)).toEqual(['best']);
    expect(changed).toMatchObject([{ id: one.id, sealed: null, failed: null }]);
    expect(dropped).toEqual(acts);
  });

  it('a cancelled message takes everything with it', () => {
    const one = send();
    const all = [one, edited(one.id, 'better'), entry({ kind: 'delete', messageId: one.id })];
    expect(fold(all)).toEqual({ changed: [], dropped: expect.arrayContaining(all) as unknown });
  });

  it('[P3] once it may have been sent its bytes stay, and what follows is a change of its own', () => {
    const one = send({ attempted: true });
    expect(fold([one, edited(one.id, 'better')])).toEqual({ changed: [], dropped: [] });
    const between = edited(one.id, 'better');
    const last = entry({ kind: 'delete', messageId: one.id });
    expect(fold([one, between, last])).toEqual({ changed: [], dropped: [between] });
  });

  it('a reaction that is taken back was never there, unless it may have been sent', () => {
    const reaction = entry({ kind: 'react', messageId: 'm', emoji: '👍' });
    const away = entry({ kind: 'unreact', messageId: 'm', emoji: '👍', tag: null });
    expect(fold([reaction, away]).dropped).toEqual(expect.arrayContaining([reaction, away]));
    expect(fold([{ ...reaction, attempted: true }, away]).dropped).toEqual([]);
  });
});

it('[P17] attempts to connect are between one and five seconds apart, and spread over all of that', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), (attempt) => {
      const longest = Math.min(1_000 * 2 ** attempt, 5_000);
      const waits = Array.from({ length: 200 }, () => reconnectMs(attempt));
      expect(Math.min(...waits)).toBeGreaterThanOrEqual(1_000);
      expect(Math.max(...waits)).toBeLessThanOrEqual(longest);
      expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThan((longest - 1_000) / 2);
    }),
  );
});
