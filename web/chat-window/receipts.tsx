/** Who of a group has received and read one message of mine, and when. */
import { selectUser } from '#client/select';
import { useChat } from '../chat.ts';
import { fullTime } from '../time.ts';
import { trpc } from '../trpc.ts';
import { Avatar } from '../ui/avatar.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Spinner } from '../ui/spinner.tsx';
import { plainWords } from '../words.ts';

const WORDS = { sent: 'Not delivered yet', delivered: 'Delivered', read: 'Read' } as const;

export default function Receipts({ messageId, onClose }: { messageId: string; onClose: () => void }) {
  const { data, error } = trpc.messages.statuses.useQuery({ messageId }, { staleTime: 0 });
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title="Seen by">
      <ul className="min-h-24 overflow-y-auto px-3 pb-4">
        {data?.map(({ userId, status, deliveredAt, readAt }) => (
          <Person key={userId} userId={userId} words={WORDS[status]} at={readAt ?? deliveredAt} />
        ))}
        {!data && !error && <Spinner className="w-full py-6" />}
        {error && <li className="px-2 py-4 text-sm text-danger">{plainWords(error)}</li>}
      </ul>
    </Dialog>
  );
}

function Person({ userId, words, at }: { userId: string; words: string; at: string | null }) {
  const user = useChat(selectUser(userId));
  const name = user?.displayName ?? 'Somebody';
  return (
    <li className="flex items-center gap-3 px-2 py-2">
      <Avatar id={userId} name={name} size="sm" />
      <span className="stack min-w-0 flex-1">
        <span className="truncate font-medium">{name}</span>
        <span className="text-sm text-muted">
          {words}
          {at && `, ${fullTime(at)}`}
        </span>
      </span>
    </li>
  );
}
