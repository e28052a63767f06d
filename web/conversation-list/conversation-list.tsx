/** All my conversations, newest activity first, with a box that narrows them down. */
import { Search } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useRoute } from 'wouter';
import { useShallow } from 'zustand/react/shallow';
import { selectConversationIds } from '#client/select';
import type { ChatState } from '#client/types';
import { chat, useChat, useMe, useWatchPresence } from '../chat.ts';
import { partnerOf, titleOf } from '../naming.ts';
import { cn } from '../ui/cn.ts';
import { inputClass } from '../ui/field.tsx';
import { Spinner } from '../ui/spinner.tsx';
import { tellProblem } from '../ui/toast.tsx';
import { setUi } from '../ui-state.ts';
import { ConversationRow } from './conversation-row.tsx';
import { Quiet } from './quiet.tsx';

/** People whose dot is in the list; presence.onChange takes this many ids (protocol/limits.ts presenceIds). */
const WATCHED = 500;

export function ConversationList() {
  const ids = useChat(selectConversationIds);
  const ready = useChat((state) => state.ready);
  const hasMore = useChat((state) => state.hasMoreConversations);
  const [filter, setFilter] = useState('');
  const me = useMe().id;
  const [, route] = useRoute('/c/:id');
  const needle = filter.trim().toLocaleLowerCase();
  const shown = useChat(
    useShallow((state: ChatState) =>
      needle
        ? ids.filter((id) => {
            const conversation = state.conversations[id];
            return conversation && titleOf(conversation, me).toLocaleLowerCase().includes(needle);
          })
        : ids,
    ),
  );
  const partners = useChat(
    useShallow((state: ChatState) =>
      ids.flatMap((id) => {
        const conversation = state.conversations[id];
        return (conversation && partnerOf(conversation, me)?.id) ?? [];
      }),
    ),
  );
  useWatchPresence(useMemo(() => partners.slice(0, WATCHED), [partners]));

  if (ready && ids.length === 0) return <Invitation />;
  return (
    <nav aria-label="Conversations" className="flex min-h-0 flex-1 flex-col">
      <div className="relative px-4 pb-2">
        <Search size={16} aria-hidden className="absolute top-1/2 left-7 -mt-1 -translate-y-1/2 text-muted" />
        <input
          type="search"
          aria-label="Filter conversations"
          placeholder="Filter"
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
          onKeyDown={(event) => event.key === 'Escape' && setFilter('')}
          className={cn(inputClass, 'h-10 border-transparent bg-sunken pr-16 pl-9 text-sm coarse:h-11')}
        />
        <button
          type="button"
          aria-label="Go to… (Ctrl+K)"
          onClick={() => setUi({ switcher: true })}
          className="absolute top-0 right-5 hidden h-10 place-items-center rounded-md px-1 md:grid coarse:h-11"
        >
          <kbd className="rounded-sm border border-line bg-surface px-1.5 py-0.5 font-sans text-xs font-medium text-muted">
            Ctrl K
          </kbd>
        </button>
      </div>
      <div className="min-h-0 flex-1 overflow-x-hidden overflow-y-auto overscroll-contain px-2 pb-2">
        {!ready && <Skeleton />}
        <ul className="grid grid-cols-[minmax(0,1fr)] gap-0.5">
          {shown.map((id) => (
            <ConversationRow key={id} id={id} current={route?.id === id} />
          ))}
        </ul>
        {needle && shown.length === 0 && (
          <p className="px-3 py-6 text-center text-sm text-muted">Nothing called “{filter.trim()}”.</p>
        )}
        {hasMore && <More />}
      </div>
    </nav>
  );
}

/** The end of the list; coming near it loads the next page. */
function More() {
  const mark = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!mark.current) return;
    const observer = new IntersectionObserver(
      ([entry]) => entry?.isIntersecting && void chat.loadMoreConversations().catch(tellProblem),
      { rootMargin: '400px' },
    );
    observer.observe(mark.current);
    return () => observer.disconnect();
  }, []);
  return (
    <div ref={mark} className="grid h-14 place-items-center">
      <Spinner label="Loading more conversations" />
    </div>
  );
}

function Invitation() {
  return (
    <nav aria-label="Conversations" className="grid flex-1 place-content-center justify-items-center p-8 text-center">
      <div className="md:hidden">
        <Quiet />
      </div>
      <p className="text-sm text-muted max-md:hidden">Your conversations will stand here.</p>
    </nav>
  );
}

function Skeleton() {
  return (
    <div role="status" className="grid gap-0.5">
      <span className="sr-only">Loading conversations</span>
      {[60, 44, 72, 52, 66].map((width) => (
        <div key={width} aria-hidden className="flex h-17 animate-pulse items-center gap-3 px-3">
          <span className="size-11 rounded-full bg-hover" />
          <span className="grid flex-1 gap-2">
            <span className="h-3 rounded-full bg-hover" style={{ width: `${width}%` }} />
            <span className="h-2.5 w-11/12 rounded-full bg-hover" />
          </span>
        </div>
      ))}
    </div>
  );
}
