/** The top of a conversation: who it is with, whether they are there, and the door to the people in it. */
import { ArrowLeft, BellOff, ShieldQuestion, UsersRound } from 'lucide-react';
import { Link } from 'wouter';
import { isMuted, selectTrust } from '#client/select';
import type { ConversationView } from '#client/types';
import { useChat, useMe, useSignals, useWatchPresence } from '../chat.ts';
import { faceOf, othersOf, partnerOf } from '../naming.ts';
import { PresenceIndicator } from '../presence/presence-indicator.tsx';
import { useNow } from '../time.ts';
import { VerifiedMark } from '../trust/verified-mark.tsx';
import { Avatar } from '../ui/avatar.tsx';
import { buttonClass } from '../ui/button.tsx';
import { IconButton } from '../ui/icon-button.tsx';
import { setUi } from '../ui-state.ts';

export function ChatHeader({ conversation }: { conversation: ConversationView }) {
  const me = useMe().id;
  const muted = isMuted(conversation, useNow());
  const face = faceOf(conversation, me);
  const partner = partnerOf(conversation, me);
  const others = othersOf(conversation, me).map(({ id }) => id);
  useWatchPresence(others.slice(0, 100));
  return (
    <header className="flex h-16 shrink-0 items-center gap-3 border-b border-line px-2 md:px-6">
      <Link href="/" aria-label="Back to conversations" className={buttonClass('icon', 'size-11 md:hidden')}>
        <ArrowLeft size={20} aria-hidden />
      </Link>
      <button
        type="button"
        onClick={() => setUi({ members: true })}
        aria-label={`About ${face.name}${muted ? ', muted' : ''}`}
        className="-ml-2 flex min-w-0 flex-1 items-center gap-3 rounded-lg px-2 py-1.5 text-left hover:bg-hover"
      >
        <Avatar {...face} size="sm" className="size-9" />
        <span className="stack min-w-0 leading-tight">
          <span className="flex min-w-0 items-center gap-2">
            <span role="heading" aria-level={2} className="truncate text-lg font-semibold">
              {face.name}
            </span>
            {partner && <VerifiedMark userId={partner.id} size={17} />}
            {muted && <BellOff size={15} aria-hidden className="shrink-0 text-muted" />}
          </span>
          <span className="min-h-4.5 truncate text-sm text-muted">
            {partner ? (
              <PresenceIndicator userId={partner.id} words />
            ) : (
              <GroupLine conversation={conversation} others={others} />
            )}
          </span>
        </span>
      </button>
      {partner && <Verify userId={partner.id} name={face.name} />}
      <IconButton label="People" onClick={() => setUi({ members: true })}>
        <UsersRound size={19} aria-hidden />
      </IconButton>
    </header>
  );
}

/** Only until it is done: afterwards the way is over the person's page. */
function Verify({ userId, name }: { userId: string; name: string }) {
  const trust = useChat(selectTrust(userId));
  if (trust === 'verified') return null;
  return (
    <IconButton label={`Verify ${name}`} onClick={() => setUi({ verifying: userId })}>
      <ShieldQuestion size={19} aria-hidden />
    </IconButton>
  );
}

function GroupLine({ conversation, others }: { conversation: ConversationView; others: string[] }) {
  const online = useSignals((state) => others.filter((id) => state.presence[id]?.status === 'online').length);
  return (
    <>
      {conversation.participants.length} people
      {online > 0 && `, ${online} online`}
      {conversation.topic !== null && ` · ${conversation.topic}`}
    </>
  );
}
