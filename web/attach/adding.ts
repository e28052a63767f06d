/** Files that come in, by whichever way: checked, laid into the tray, and pictures among them made anew. */
import { tell } from '../ui/toast.tsx';
import { draftOf } from '../ui-state.ts';
import { makePicture } from './making.ts';
import { pictureKind } from './picture-kind.ts';
import type { Made } from './picture-worker.ts';
import { isTooLarge, limits, quotaWords, tooLargeWords } from './room.ts';
import { type Item, removeItem, setItem, setTray, trayOf } from './tray-store.ts';

const MAY_TELL_PLACE = 'Sent as it is. It may say where it was taken.';
const MOVES = 'Sent as it is, so that it keeps moving.';

export async function addFiles(conversationId: string, files: readonly File[]): Promise<void> {
  if (files.length === 0) return;
  if (draftOf(conversationId).editing) return tell('Files go with a new message. Finish the change first.');
  if (trayOf(conversationId).isSending) return tell('One moment: the files before these are just leaving.');
  const known = await limits();
  const added: Item[] = [];
  for (const source of files) {
    let kind: string | null;
    try {
      kind = await pictureKind(source);
    } catch {
      tell(`“${source.name}” cannot be read. Folders have to be opened first, and their files chosen.`);
      continue;
    }
    // A picture becomes smaller yet.
    if (!kind && isTooLarge(source, known)) tell(tooLargeWords(source, known));
    else added.push(itemOf(source, kind !== null));
  }
  const plain = [...trayOf(conversationId).items, ...added].filter(({ isPicture }) => !isPicture);
  const noRoom = quotaWords(
    plain.map(({ source }) => source),
    known,
  );
  if (noRoom) return tell(noRoom);
  setTray(conversationId, { items: [...trayOf(conversationId).items, ...added] });
  for (const item of added) if (item.isPicture) void make(conversationId, item.id);
}

/** All pictures anew. */
export function setSmaller(conversationId: string, isSmaller: boolean): void {
  setTray(conversationId, { isSmaller });
  const pictures = trayOf(conversationId).items.filter(({ isPicture }) => isPicture);
  for (const { id } of pictures) {
    setItem(conversationId, id, { made: null });
    void make(conversationId, id);
  }
}

function itemOf(source: File, isPicture: boolean): Item {
  const made = isPicture ? null : { file: source, name: source.name };
  const note = /^(?:image\/(?!svg)|video\/)/.test(source.type) ? MAY_TELL_PLACE : null;
  return { id: crypto.randomUUID(), source, isPicture, alt: '', made, preview: null, note: isPicture ? null : note };
}

async function make(conversationId: string, id: string): Promise<void> {
  const { isSmaller } = trayOf(conversationId);
  const itemNow = () => trayOf(conversationId).items.find((item) => item.id === id);
  // Removed meanwhile, or wanted in the other size.
  const isWanted = () => itemNow() !== undefined && trayOf(conversationId).isSmaller === isSmaller;
  const item = itemNow();
  if (!item) return;
  const { source } = item;
  const picture = await makePicture(source, isSmaller, isWanted);
  if (!isWanted()) return;
  const file = picture?.file ?? source;
  const known = await limits();
  if (isTooLarge({ name: source.name, size: file.size }, known)) {
    tell(tooLargeWords({ name: source.name, size: file.size }, known));
    return removeItem(conversationId, id);
  }
  if (!picture) return setItem(conversationId, id, { made: { file, name: source.name }, note: MAY_TELL_PLACE });
  const preview = itemNow()?.preview ?? URL.createObjectURL(picture.preview);
  const note = picture.isMoving
    ? source.type === 'image/gif'
      ? MOVES
      : `${MOVES} It may say where it was taken.`
    : null;
  setItem(conversationId, id, { made: outgoing(picture, source.name), preview, note });
}

function outgoing({ file, width, height, blurhash, thumbnail }: Made, name: string) {
  return { file, name: named(name, file.type), width, height, blurhash, ...(thumbnail ? { thumbnail } : {}) };
}

const ENDINGS: Record<string, RegExp> = {
  'image/jpeg': /\.jpe?g$/i,
  'image/png': /\.png$/i,
  'image/webp': /\.webp$/i,
};

/** A name that ends as what it is now. */
function named(name: string, type: string): string {
  const right = ENDINGS[type];
  if (!right || right.test(name)) return name;
  return `${name.replace(/\.[^.]{1,5}$/, '')}.${type.slice('image/'.length).replace('jpeg', 'jpg')}`;
}
