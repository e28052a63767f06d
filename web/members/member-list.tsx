/** The people of a conversation, those with more say first; of a thousand only the ones in view are drawn. */
import type { RefObject } from 'react';
import { Virtualizer } from 'virtua';
import type { ConversationView } from '#client/types';
import { MemberRow } from './member-row.tsx';

const RANK = { admin: 0, moderator: 1, member: 2 };

interface Props {
  conversation: ConversationView;
  /** What scrolls around the list. */
  scroller: RefObject<HTMLElement | null>;
}

export function MemberList({ conversation, scroller }: Props) {
  const people = [...conversation.participants].sort(
    (a, b) => RANK[a.role] - RANK[b.role] || byName.compare(a.user.displayName, b.user.displayName),
  );
  return (
    <div role="list" aria-label="People" className="px-3 py-2">
      <Virtualizer data={people} scrollRef={scroller} itemSize={56} bufferSize={300}>
        {(person) => <MemberRow key={person.user.id} conversation={conversation} person={person} />}
      </Virtualizer>
    </div>
  );
}

// `localeCompare` looks its language up anew for each pair.
const byName = new Intl.Collator();
