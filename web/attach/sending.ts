/** What lies in the tray becomes messages: as soon as everything in it is made, and as many as the server's limit asks for. */
import type { Draft, OutgoingFile } from '#client/types';
import { chat, peekChat } from '../chat.ts';
import { keepOpen } from '../files/use-file.ts';
import { tell } from '../ui/toast.tsx';
import { forgetLimits, limits, quotaWords } from './room.ts';
import { emptyTray, onTraysChange, setTray, trayOf } from './tray-store.ts';

/** If the server does not say: the smallest number that any server in its delivered form takes. */
const PER_MESSAGE = 10;

/** The caption goes with the first of them. Resolves with whether it was sent. */
export async function sendTray(
  conversationId: string,
  caption: { text: string; replyTo: string | null },
): Promise<boolean> {
  setTray(conversationId, { isSending: true });
  await made(conversationId);
  const known = await limits();
  // Somebody has signed out meanwhile.
  if (!trayOf(conversationId).isSending) return true;
  const { items } = trayOf(conversationId);
  const files = items.flatMap(({ made: file, alt }) => (file ? [{ ...file, ...(alt ? { alt } : {}) }] : []));
  const noRoom = quotaWords(
    files.map(({ name, file }) => ({ name, size: file.size })),
    known,
  );
  if (noRoom || files.length === 0) {
    if (noRoom) tell(noRoom);
    setTray(conversationId, { isSending: false });
    return false;
  }
  const most = known?.perMessage ?? PER_MESSAGE;
  for (let from = 0; from < files.length; from += most) {
    const part = files.slice(from, from + most);
    sendFiles(conversationId, from === 0 ? { ...caption, files: part } : { text: '', files: part });
  }
  emptyTray(conversationId);
  forgetLimits();
  return true;
}

/** Shown from what is here, not fetched again. */
export function sendFiles(conversationId: string, draft: Draft & { files: readonly OutgoingFile[] }): void {
  const messageId = chat.send(conversationId, draft);
  const content = peekChat().timelines[conversationId]?.byId.get(messageId)?.content;
  if (content?.kind === 'text') keepOpen(content.files ?? [], draft.files);
}

/** Everything that is still in the tray is made. Making is bounded, so this is. */
function made(conversationId: string): Promise<void> {
  const isMade = () => trayOf(conversationId).items.every((item) => item.made !== null);
  return new Promise((resolve) => {
    if (isMade()) return resolve();
    const stop = onTraysChange(() => {
      if (!isMade()) return;
      stop();
      resolve();
    });
  });
}
