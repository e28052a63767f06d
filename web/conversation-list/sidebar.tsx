/** The left column: who we are, what is there, who I am. */
import { Settings, SquarePen } from 'lucide-react';
import { Link } from 'wouter';
import { useMe } from '../chat.ts';
import { Offer } from '../notifications/offer.tsx';
import { Avatar } from '../ui/avatar.tsx';
import { IconButton } from '../ui/icon-button.tsx';
import { Wordmark } from '../ui/logo.tsx';
import { setUi } from '../ui-state.ts';
import { ConversationList } from './conversation-list.tsx';

export function Sidebar() {
  const me = useMe();
  return (
    <div className="flex h-full min-h-0 flex-col bg-canvas safe-top">
      <header className="flex h-16 shrink-0 items-center gap-1 pr-3 pl-5">
        <h1 className="flex-1">
          <Wordmark />
        </h1>
        <IconButton label="New conversation" onClick={() => setUi({ newConversation: true })}>
          <SquarePen size={19} aria-hidden />
        </IconButton>
      </header>
      <ConversationList />
      <Offer />
      <footer className="border-t border-line p-2 pb-[max(0.5rem,env(safe-area-inset-bottom))]">
        <Link
          href="/settings"
          aria-label={`Settings of ${me.displayName}`}
          className="flex min-h-12 items-center gap-3 rounded-lg px-3 py-2 -outline-offset-2 hover:bg-hover"
        >
          <Avatar id={me.id} name={me.displayName} size="sm" />
          <span className="stack min-w-0 flex-1 leading-tight">
            <span className="truncate text-sm font-semibold">{me.displayName}</span>
            <span className="truncate text-xs text-muted">@{me.username}</span>
          </span>
          <Settings size={18} aria-hidden className="text-muted" />
        </Link>
      </footer>
    </div>
  );
}
