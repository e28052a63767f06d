/** What a notification says, as messages come. */
import { expect, test } from 'vitest';
import { noticeOf, type Notice } from '../../web/service-worker/notice.ts';

const of = (messageId: string, sender: string | null, text: string | null, group: string | null = 'Plans') => ({
  conversationId: 'c',
  messageId,
  sender,
  group,
  text,
});
const after = (...arrivals: ReturnType<typeof of>[]) =>
  arrivals.reduce<Notice | undefined>((before, arrival) => noticeOf(arrival, before?.data) ?? before, undefined);
const says = (title: string, ...lines: string[]) => expect.objectContaining({ title, body: lines.join('\n') });

test('one message: who and where, and what', () => {
  expect(after(of('1', 'Ann', 'hello'))).toEqual(says('Ann in Plans', 'hello'));
  expect(after(of('1', 'Ann', 'hello', null))).toEqual(says('Ann', 'hello'));
  expect(after(of('1', 'Ann', 'one\n\n  two'))).toEqual(says('Ann in Plans', 'one two'));
});

test('what could not be opened is a new message of nobody', () => {
  expect(after(of('1', null, null, null))).toEqual(says('Parley', 'New message'));
  expect(after(of('1', null, null))).toEqual(says('Plans', 'New message'));
  expect(after(of('1', null, null), of('2', null, null))).toEqual(says('Plans', '2 new messages'));
  const mixed = [of('1', 'Ann', 'hello'), of('2', null, null)];
  expect(after(...mixed)).toEqual(says('Plans', '2 new messages', 'Ann: hello'));
  expect(after(...mixed.map((one) => ({ ...one, group: null })))).toEqual(says('Ann', '2 new messages', 'hello'));
});

test('several: the last three, and how many; names where there is more than one', () => {
  const three = [of('1', 'Ann', 'a'), of('2', 'Ann', 'b'), of('3', 'Ann', 'c')];
  expect(after(...three)).toEqual(says('Ann in Plans', 'a', 'b', 'c'));
  expect(after(...three, of('4', 'Ann', 'd'), of('5', 'Ann', 'e'))).toEqual(
    says('Ann in Plans', '5 new messages', 'c', 'd', 'e'),
  );
  expect(after(...three, of('4', 'Bo', 'd'))).toEqual(says('Plans', '4 new messages', 'Ann: b', 'Ann: c', 'Bo: d'));
});

test('[P19] a message that it tells of already changes nothing', () => {
  const told = after(of('1', 'Ann', 'a'), of('2', 'Ann', 'b'));
  expect(noticeOf(of('1', 'Ann', 'a'), told?.data)).toBe(null);
});

test('a long text is cut between characters', () => {
  const body = after(of('1', 'Ann', '👩‍🚀'.repeat(200)))?.body ?? '';
  expect([...body]).toHaveLength(200);
  expect(body.endsWith('…')).toBe(true);
});
