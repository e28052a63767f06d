/** Reads new messages out, once and politely, as "name: text". Apart from the list, so that loading history stays silent. */
import { useEffect, useState } from 'react';
import { onChatChange, useMe } from '../chat.ts';
import { contentLine } from '../conversation-list/preview.ts';
import { arrivals } from './arrivals.ts';

export function Announcer() {
  const me = useMe().id;
  const [lines, setLines] = useState<{ id: string; text: string }[]>([]);
  useEffect(
    () =>
      onChatChange((state, before) => {
        const fresh = arrivals(state, before, me);
        if (fresh.length === 0) return;
        const spoken = fresh.map(({ id, senderId, content }) => ({
          id,
          text: `${state.users[senderId]?.displayName ?? 'Somebody'}: ${contentLine(content)}`,
        }));
        setLines((old) => [...old, ...spoken.filter(({ id }) => !old.some((line) => line.id === id))].slice(-5));
      }),
    [me],
  );
  return (
    <div aria-live="polite" aria-relevant="additions" aria-label="New messages" role="region" className="sr-only">
      {lines.map(({ id, text }) => (
        <p key={id}>{text}</p>
      ))}
    </div>
  );
}
