/** While new keys are made for a large group: how far that is. */
import type { ConversationView } from '#client/types';
import { useSignals } from '../chat.ts';

export function Rekeying({ conversation }: { conversation: ConversationView }) {
  const progress = useSignals((state) => state.rekeying[conversation.id]);
  if (!progress) return null;
  const { done, total } = progress;
  return (
    <div className="grid gap-1 px-5 pb-3 text-sm text-muted">
      <span>
        Changing the keys: {done} of {total}
      </span>
      <progress aria-label="Changing the keys" value={done} max={total} className="h-1.5 w-full accent-accent" />
    </div>
  );
}
