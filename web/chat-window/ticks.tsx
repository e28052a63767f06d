/** How far my message has come: clock, one tick, two, two in colour. Each has its name for those who do not see it. */
import { Check, CheckCheck, CircleAlert, Clock3 } from 'lucide-react';
import { selectTick } from '#client/select';
import type { Tick } from '#client/types';
import { useChat } from '../chat.ts';
import { cn } from '../ui/cn.ts';

const FORMS: Record<Exclude<Tick, null>, { icon: typeof Check; label: string; className?: string }> = {
  waiting: { icon: Clock3, label: 'Waiting to be sent' },
  failed: { icon: CircleAlert, label: 'Not sent', className: 'text-danger' },
  sent: { icon: Check, label: 'Sent' },
  delivered: { icon: CheckCheck, label: 'Delivered' },
  read: { icon: CheckCheck, label: 'Read', className: 'text-seen' },
};

/** Something I have done to a message, mine or not, is still to be sent. Late, because mostly it is not for long. */
export function WaitingChange() {
  const label = 'Change waiting to be sent';
  return (
    <span role="img" aria-label={label} title={label} className="inline-flex animate-late">
      <Clock3 size={12} aria-hidden />
    </span>
  );
}

export function Ticks({ conversationId, messageId }: { conversationId: string; messageId: string }) {
  const tick = useChat(selectTick(conversationId, messageId));
  if (!tick) return null;
  const { icon: Icon, label, className } = FORMS[tick];
  return (
    <span role="img" aria-label={label} title={label} className={cn('inline-flex', className)}>
      <Icon size={tick === 'waiting' ? 12 : 15} strokeWidth={tick === 'read' ? 2.6 : 2} aria-hidden />
    </span>
  );
}
