/** The mark beside the name of somebody whose keys were compared, or are not the compared ones any more. */
import { ShieldAlert, ShieldCheck } from 'lucide-react';
import { selectTrust } from '#client/select';
import { useChat } from '../chat.ts';

export function VerifiedMark({ userId, size = 15 }: { userId: string; size?: number }) {
  const trust = useChat(selectTrust(userId));
  if (trust === 'verified') {
    return <ShieldCheck size={size} role="img" aria-label="verified" className="shrink-0 text-accent" />;
  }
  if (trust === 'changed') {
    return <ShieldAlert size={size} role="img" aria-label="keys changed" className="shrink-0 text-danger" />;
  }
  return null;
}
