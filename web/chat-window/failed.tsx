/** Under a message, what of mine was refused: why, and what can be done about it. A retry keeps the id, so nothing doubles (P4). */
import type { ActView, MessageView } from '#client/types';
import { chat } from '../chat.ts';
import { copyText } from '../ui/copy.ts';
import { wordsForReason } from '../words.ts';

const WHAT: Record<ActView['kind'], string> = {
  edit: 'Not changed.',
  delete: 'Not deleted.',
  react: 'Reaction not added.',
  unreact: 'Reaction not removed.',
};

export function Failed({ message }: { message: MessageView }) {
  const { conversationId, id, send, content, acts } = message;
  const body = content.kind === 'text' && content.body !== '' ? content.body : null;
  return (
    <>
      {send.step === 'failed' && send.reason !== 'paused' && (
        <Refusal
          conversationId={conversationId}
          id={id}
          what="Not sent."
          reason={send.reason}
          text={body}
          away="Delete"
        />
      )}
      {acts.map((act) =>
        act.failed === null ? null : (
          <Refusal
            key={act.id}
            conversationId={conversationId}
            id={act.id}
            what={WHAT[act.kind]}
            reason={act.failed}
            text={act.kind === 'edit' ? act.body : null}
            away="Discard"
          />
        ),
      )}
    </>
  );
}

interface RefusalProps {
  conversationId: string;
  id: string;
  what: string;
  reason: string;
  /** What I wrote, to be taken elsewhere. */
  text: string | null;
  away: string;
}

function Refusal({ conversationId, id, what, reason, text, away }: RefusalProps) {
  return (
    <p role="alert" className="mt-1 flex max-w-md flex-wrap items-center justify-end text-right text-sm text-danger">
      <span className="px-1.5">
        <span className="font-semibold">{what}</span> {wordsForReason(reason)}
      </span>
      <span className="flex">
        <Choice onClick={() => chat.retry(conversationId, id)}>Retry</Choice>
        {text !== null && <Choice onClick={() => copyText(text)}>Copy</Choice>}
        <Choice onClick={() => chat.discard(conversationId, id)}>{away}</Choice>
      </span>
    </p>
  );
}

function Choice({ onClick, children }: { onClick: () => void; children: string }) {
  return (
    <button
      type="button"
      onClick={onClick}
      className="rounded-sm px-1.5 py-1 font-semibold underline underline-offset-3 hover:no-underline coarse:py-3"
    >
      {children}
    </button>
  );
}
