/** What signed records say, as sentences. Pure. */
import type { ChangeLine, PersonChange } from '#client/types';

/** So many are spelt out; of more, one less and "2 others". */
const MOST_NAMES = 4;
const ROLES = { admin: 'an admin', moderator: 'a moderator', member: 'a member' };

/** @param nameOf "You" for me */
export function changeWords({ authorId, changes }: ChangeLine, nameOf: (userId: string) => string): string[] {
  const author = nameOf(authorId);
  const of = (kind: PersonChange['kind']) => changes.filter((change) => change.kind === kind);
  const who = (kind: PersonChange['kind']) => together(of(kind).map(({ userId }) => nameOf(userId)));
  const sentences: string[] = [];
  if (of('began').length > 0) sentences.push(`${author} created the group`);
  if (of('added').length > 0) sentences.push(`${author} added ${inside(who('added'))}`);
  if (of('left').length > 0) sentences.push(`${who('left')} left`);
  if (of('gone').length > 0) {
    const gone = of('gone').map(({ userId }) => nameOf(userId));
    const verb = gone.length > 1 || gone[0] === 'You' ? 'are' : 'is';
    sentences.push(`${together(gone)} ${verb} not in the group any more`);
  }
  for (const change of of('role')) {
    if (change.kind === 'role') sentences.push(`${author} made ${inside(nameOf(change.userId))} ${ROLES[change.role]}`);
  }
  for (const change of changes)
    if (change.kind === 'named') sentences.push(`${author} named the group “${change.title}”`);
  for (const { userId } of of('rekeyed')) sentences.push(`${has(nameOf(userId))} new keys`);
  for (const { userId } of of('reset')) sentences.push(`${has(nameOf(userId))} new keys, made without the old ones`);
  return sentences;
}

const has = (name: string) => (name === 'You' ? 'You have' : `${name} has`);
/** Inside a sentence. */
const inside = (name: string) => (name === 'You' ? 'you' : name);

function together(names: string[]): string {
  if (names.length <= 1) return names[0] ?? '';
  const spelt = names.length > MOST_NAMES ? MOST_NAMES - 1 : names.length - 1;
  const rest = names.length > MOST_NAMES ? `${names.length - spelt} others` : names.at(-1);
  return `${names.slice(0, spelt).join(', ')} and ${rest}`;
}
