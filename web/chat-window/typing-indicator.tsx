/** Who is writing at the moment. Its line is always kept free, so that nothing moves when it appears. */
import { useShallow } from 'zustand/react/shallow';
import { selectTyping } from '#client/select';
import { useChat, useSignals } from '../chat.ts';
import { firstName, typists } from '../naming.ts';

export function TypingIndicator({ conversationId }: { conversationId: string }) {
  const typing = useSignals(selectTyping(conversationId));
  const names = useChat(
    useShallow((state) =>
      typing.map((id) => {
        const user = state.users[id];
        return user ? firstName(user) : 'Somebody';
      }),
    ),
  );
  return (
    <div role="status" aria-label="Typing" className="flex min-w-0 items-center gap-2 text-sm text-muted">
      {names.length > 0 && (
        <>
          <span aria-hidden className="flex gap-0.5">
            {[0, 150, 300].map((delay) => (
              <span
                key={delay}
                style={{ animationDelay: `${delay}ms` }}
                className="size-1.5 animate-typing rounded-full bg-accent"
              />
            ))}
          </span>
          <span className="truncate">{typists(names)} typing…</span>
        </>
      )}
    </div>
  );
}
