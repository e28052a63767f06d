/** Ctrl+K: a few letters lead to any conversation, or to a new one with anybody. */
import { UserRoundPlus } from 'lucide-react';
import { useId, useMemo, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import { chat, useChat, useMe } from '../chat.ts';
import { faceOf, partnerOf } from '../naming.ts';
import { Avatar } from '../ui/avatar.tsx';
import { cn } from '../ui/cn.ts';
import { Dialog } from '../ui/dialog.tsx';
import { inputClass } from '../ui/field.tsx';
import { tellProblem } from '../ui/toast.tsx';
import { setUi } from '../ui-state.ts';
import { score } from './match.ts';
import { usePeople } from './use-people.ts';

const AT_MOST = 8;

interface Place {
  key: string;
  face: { id: string; name: string; group: boolean };
  unread: number;
  /** A person without a conversation yet. */
  isNew: boolean;
  go: () => Promise<string> | string;
}

export default function QuickSwitcher() {
  const [text, setText] = useState('');
  const [index, setIndex] = useState(0);
  const [, navigate] = useLocation();
  const listId = useId();
  const input = useRef<HTMLInputElement>(null);
  const places = usePlaces(text);
  const active = Math.max(0, Math.min(index, places.length - 1));

  async function go(place: Place | undefined) {
    if (!place) return;
    setUi({ switcher: false });
    try {
      navigate(`/c/${await place.go()}`);
    } catch (error) {
      tellProblem(error);
    }
  }
  function onKeyDown(event: React.KeyboardEvent) {
    if (event.key === 'ArrowDown') setIndex((active + 1) % Math.max(1, places.length));
    else if (event.key === 'ArrowUp') setIndex((active - 1 + places.length) % Math.max(1, places.length));
    else if (event.key === 'Enter') void go(places[active]);
    else return;
    event.preventDefault();
  }

  return (
    <Dialog open onOpenChange={(switcher) => setUi({ switcher })} title="Go to" hideTitle initialFocus={input}>
      <div className="px-4 pt-4 pb-2">
        <input
          ref={input}
          type="text"
          role="combobox"
          aria-label="Go to"
          aria-expanded
          aria-controls={listId}
          aria-activedescendant={places[active] ? `${listId}-${active}` : undefined}
          placeholder="Go to a conversation or a person"
          autoComplete="off"
          spellCheck={false}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setIndex(0);
          }}
          onKeyDown={onKeyDown}
          className={inputClass}
        />
      </div>
      <div id={listId} role="listbox" aria-label="Places" className="min-h-0 overflow-y-auto px-2 pb-3">
        {places.map((place, position) => (
          <div
            key={place.key}
            id={`${listId}-${position}`}
            role="option"
            tabIndex={-1}
            aria-selected={position === active}
            onPointerDown={(event) => event.preventDefault()}
            onPointerMove={() => setIndex(position)}
            onClick={() => void go(place)}
            className={cn('flex items-center gap-3 rounded-lg px-2 py-1.5', position === active && 'bg-hover')}
          >
            <Avatar {...place.face} size="sm" />
            <span className="flex-1 truncate font-medium">{place.face.name}</span>
            {place.unread > 0 && (
              <span className="rounded-full bg-fresh px-1.5 text-xs leading-5 font-bold text-on-fresh">
                {place.unread}
                <span className="sr-only"> unread</span>
              </span>
            )}
            {place.isNew && (
              <span className="flex items-center gap-1.5 text-xs text-muted">
                <UserRoundPlus size={14} aria-hidden /> Start
              </span>
            )}
          </div>
        ))}
      </div>
      {places.length === 0 && <p className="px-4 pb-5 text-center text-sm text-muted">Nothing like that.</p>}
    </Dialog>
  );
}

/** My conversations that match, unread ones first while nothing is typed; then people whom I have not talked to. */
function usePlaces(text: string): Place[] {
  const me = useMe().id;
  const ids = useChat((state) => state.conversationIds);
  const conversations = useChat((state) => state.conversations);
  const { people } = usePeople(text);
  return useMemo(() => {
    const mine = ids.flatMap((id, position) => {
      const conversation = conversations[id];
      if (!conversation) return [];
      const face = faceOf(conversation, me);
      const unread = conversation.unreadCount;
      const value = text.trim() ? score(face.name, text) : unread > 0 ? 2 : 1;
      return { key: id, face, unread, isNew: false, go: () => id, value, position };
    });
    const best = mine
      .filter(({ value }) => value > 0)
      .sort((a, b) => b.value - a.value || a.position - b.position)
      .slice(0, AT_MOST);
    const known = new Set(ids.map((id) => conversations[id]).map((one) => one && partnerOf(one, me)?.id));
    const others = people
      .filter(({ id }) => !known.has(id))
      .map((user) => ({
        key: user.id,
        face: { id: user.id, name: user.displayName, group: false },
        unread: 0,
        isNew: true,
        go: () => chat.createDirect(user.id),
      }));
    return [...best, ...others.slice(0, AT_MOST)];
  }, [text, ids, conversations, people, me]);
}
