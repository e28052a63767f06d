/** Under a message of mine that was refused: why, and what can be done about it. A retry keeps the id, so nothing doubles (P4). */
import type { MessageView } from '#client/types';
import { chat } from '../chat.ts';
import { wordsForReason } from '../words.ts';

export function Failed({ message }: { message: MessageView }) {
  if (message.send.step !== 'failed') return null;
  const action = 'rounded-sm px-1.5 py-1 font-semibold underline underline-offset-3 coarse:py-3';
  return (
    <p role="alert" className="flex max-w-xs flex-wrap items-center justify-end gap-x-1 text-right text-sm text-danger">
      <span>Not sent. {wordsForReason(message.send.reason)}</span>
      <button type="button" className={action} onClick={() => chat.retry(message.conversationId, message.id)}>
        Retry
      </button>
      <button type="button" className={action} onClick={() => chat.discard(message.conversationId, message.id)}>
        Delete
      </button>
    </p>
  );
}
