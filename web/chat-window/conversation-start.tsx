/** The very beginning of a conversation, with a word on who can read it. */
import { LockKeyhole } from 'lucide-react';
import { Link } from 'wouter';
import { selectConversation } from '#client/select';
import type { ChatState } from '#client/types';
import { SERVER_KNOWS } from '../about/address.ts';
import { useChat, useMe } from '../chat.ts';
import { faceOf, firstName, partnerOf } from '../naming.ts';
import { Avatar } from '../ui/avatar.tsx';

export function ConversationStart({ conversationId }: { conversationId: string }) {
  const conversation = useChat(selectConversation(conversationId));
  const me = useMe().id;
  const hidden = useChat((state) => isPastHidden(state, conversationId));
  if (!conversation) return null;
  if (hidden) return <Before />;
  const face = faceOf(conversation, me);
  const partner = partnerOf(conversation, me);
  return (
    <div className="grid justify-items-center px-6 pt-10 pb-4 text-center">
      <Avatar {...face} size="lg" />
      <h3 className="mt-4 text-xl font-semibold tracking-tight text-balance wrap-anywhere">{face.name}</h3>
      <p className="mt-1 max-w-sm text-sm text-muted">
        {partner
          ? `This is where you and ${firstName(partner)} begin.`
          : `This is where it begins, with ${conversation.participants.length} people.`}
      </p>
      <Link
        href={SERVER_KNOWS}
        className="mt-3 flex items-center gap-2 rounded-full bg-accent-soft px-3 py-1 text-xs font-medium text-accent hover:underline"
      >
        <LockKeyhole size={13} aria-hidden /> Only the people in here can read it
      </Link>
    </div>
  );
}

/** Every conversation begins with message 1: what I see first is a later one, or I came later. */
function isPastHidden({ conversations, timelines }: ChatState, conversationId: string): boolean {
  const timeline = timelines[conversationId];
  const first = timeline?.byId.get(timeline.ids[0] ?? '')?.seq;
  return (first ?? (conversations[conversationId]?.lastSeq ?? 0) + 1) > 1;
}

function Before() {
  return (
    <div className="flex justify-center px-6 pt-8 pb-2">
      <h3 className="flex items-center gap-2 rounded-full bg-sunken px-3 py-1 text-center text-xs font-medium text-muted">
        <LockKeyhole size={13} aria-hidden className="shrink-0" /> Messages before you joined are not shown
      </h3>
    </div>
  );
}
