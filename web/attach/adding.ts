/** Files that come in, by whichever way: checked, laid into the tray, and pictures among them made anew. */
import { tell } from '../ui/toast.tsx';
import { draftOf } from '../ui-state.ts';
import { makePicture } from './making.ts';
import { pictureKind } from './picture-kind.ts';
import type { Made } from './picture-worker.ts';
import { isTooLarge, limits, tooLargeWords } from './room.ts';
import { type Item, removeItem, setItem, setTray, trayOf } from './tray-store.ts';

const MAY_TELL_PLACE = 'Sent as it is. It may say where it was taken.';
const MOVES = 'Sent as it is, so that it keeps moving. It may say where it was taken.';

/** They are in the tray at once; those among them that cannot be sent leave it again, with a word. */
export async function addFiles(conversationId: string, files: readonly File[]): Promise<void> {
  if (files.length === 0) return;
  if (draftOf(conversationId).editing) return tell('Files go with a new message. Finish the change first.');
  const { items, isSending } = trayOf(conversationId);
  if (isSending) return tell('One moment: the files before these are just leaving.');
  const added = files.map(itemOf);
  setTray(conversationId, { items: [...items, ...added] });
  const known = await limits();
  for (const { id, source } of added) {
    const refuse = (why: string) => {
      removeItem(conversationId, id);
      tell(why);
    };
    try {
      const kind = await pictureKind(source);
      setItem(conversationId, id, { isPicture: kind !== null });
      // A picture becomes smaller yet.
      if (kind) void make(conversationId, id);
      else if (isTooLarge(source, known)) refuse(tooLargeWords(source, known));
      else setItem(conversationId, id, asItIs(source));
    } catch {
      refuse(`“${source.name}” cannot be read. Folders have to be opened first, and their files chosen.`);
    }
  }
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

const itemOf = (source: File): Item => ({
  id: crypto.randomUUID(),
  source,
  isPicture: /^image\/(?!svg)/.test(source.type),
  alt: '',
  made: null,
  preview: null,
  note: null,
});

const asItIs = (source: File): Partial<Item> => ({
  made: { file: source, name: source.name },
  note: /^(?:image\/(?!svg)|video\/)/.test(source.type) ? MAY_TELL_PLACE : null,
});

async function make(conversationId: string, id: string): Promise<void> {
  const { isSmaller } = trayOf(conversationId);
  const itemNow = () => trayOf(conversationId).items.find((item) => item.id === id);
  // Not removed meanwhile, nor wanted in the other size.
  const isWanted = () => itemNow()?.made === null && trayOf(conversationId).isSmaller === isSmaller;
  const item = itemNow();
  if (!item) return;
  const { source } = item;
  const picture = await makePicture(source, isSmaller, isWanted);
  const file = picture?.file ?? source;
  const known = await limits();
  if (!isWanted()) return;
  if (isTooLarge({ name: source.name, size: file.size }, known)) {
    tell(tooLargeWords({ name: source.name, size: file.size }, known));
    return removeItem(conversationId, id);
  }
  if (!picture) return setItem(conversationId, id, { made: { file, name: source.name }, note: MAY_TELL_PLACE });
  const preview = itemNow()?.preview ?? URL.createObjectURL(picture.preview);
  const note = picture.isMoving ? MOVES : null;
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
