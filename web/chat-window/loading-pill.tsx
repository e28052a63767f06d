/** More history is on its way, or could not be had. Floats, so that its coming and going moves nothing. */
import type { Timeline } from '#client/types';
import { chat } from '../chat.ts';
import { attempt } from '../ui/toast.tsx';
import { wordsForReason } from '../words.ts';

interface Props {
  conversationId: string;
  loading: Timeline['loading'];
  problem: string | null;
}

export function LoadingPill({ conversationId, loading, problem }: Props) {
  return (
    <div role="status" className="pointer-events-none absolute inset-x-0 top-10 z-20 flex justify-center">
      {problem ? (
        <p className="pointer-events-auto flex items-center gap-2 rounded-full border border-line bg-raised py-1 pr-1 pl-4 text-sm shadow-low">
          {wordsForReason(problem)}
          <button
            type="button"
            onClick={() => attempt(() => chat.loadOlder(conversationId))}
            className="rounded-full px-3 py-1 font-semibold text-accent hover:bg-hover"
          >
            Try again
          </button>
        </p>
      ) : (
        loading !== 'none' && <span className="sr-only">Loading more messages</span>
      )}
    </div>
  );
}
