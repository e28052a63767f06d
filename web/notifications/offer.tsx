/** One quiet line under the conversations, until it is taken or sent away. The browser itself asks after the click only. */
import { Bell, X } from 'lucide-react';
import { useState } from 'react';
import { useChat } from '../chat.ts';
import { Button } from '../ui/button.tsx';
import { IconButton } from '../ui/icon-button.tsx';
import { tellProblem } from '../ui/toast.tsx';
import { declineOffer, turnOn, useDeclined, useStanding } from './standing.ts';

export function Offer() {
  const standing = useStanding();
  const declined = useDeclined();
  const hasConversations = useChat(({ conversationIds }) => conversationIds.length > 0);
  const [asking, setAsking] = useState(false);
  if (standing !== 'off' || declined || !hasConversations) return null;
  async function accept() {
    setAsking(true);
    await turnOn().catch(tellProblem);
    setAsking(false);
  }
  return (
    <section aria-label="Offer of notifications" className="flex items-center border-t border-line py-1.5 pr-3 pl-5">
      <Bell size={16} aria-hidden className="mr-2 shrink-0 text-accent" />
      <p className="min-w-0 flex-1 text-sm leading-tight text-muted">Know when somebody writes</p>
      <Button
        shape="quiet"
        aria-label="Turn on notifications"
        className="px-2 text-accent hover:text-accent"
        disabled={asking}
        onClick={() => void accept()}
      >
        Turn on
      </Button>
      <IconButton label="Not now" onClick={declineOffer}>
        <X size={16} aria-hidden />
      </IconButton>
    </section>
  );
}
