/** Above the text: what will go with it. */
import { MapPinOff } from 'lucide-react';
import { setSmaller } from './adding.ts';
import { sizeWords } from '../files/sizes.ts';
import { Card } from './card.tsx';
import { useTray } from './tray-store.ts';

interface Props {
  conversationId: string;
  /** Focus goes there when the card that had it is gone. */
  onRemoved: () => void;
}

export function Tray({ conversationId, onRemoved }: Props) {
  const { items, isSmaller, isSending } = useTray(conversationId);
  if (items.length === 0) return null;
  const isMade = items.every(({ made }) => made !== null);
  const size = items.reduce((sum, { made, source }) => sum + (made?.file ?? source).size, 0);
  const count = items.length === 1 ? '1 file' : `${items.length} files`;
  return (
    <div inert={isSending} className="border-b border-line p-2 pb-1.5">
      <ul aria-label="Files to send" className="flex max-h-[38dvh] flex-wrap gap-2 overflow-y-auto p-0.5">
        {items.map((item) => (
          <Card key={item.id} conversationId={conversationId} item={item} onRemoved={onRemoved} />
        ))}
      </ul>
      <div className="flex flex-wrap items-center justify-between gap-x-4 px-1 pt-1.5 text-xs text-muted">
        <p aria-live="polite">
          {count}
          {isMade && ` · ${sizeWords(size)}`}
          {isSending && ' · Getting ready…'}
        </p>
        {items.some(({ isPicture }) => isPicture) && (
          <>
            <Choice isSmaller={isSmaller} onChoose={(smaller) => setSmaller(conversationId, smaller)} />
            <p className="hidden items-center gap-1 md:flex">
              <MapPinOff size={13} aria-hidden /> Pictures go without place and camera
            </p>
          </>
        )}
      </div>
    </div>
  );
}

function Choice({ isSmaller, onChoose }: { isSmaller: boolean; onChoose: (isSmaller: boolean) => void }) {
  const options = [
    ['Smaller', true, 'Smaller (fits screens)'],
    ['Original size', false, 'Original size'],
  ] as const;
  return (
    <fieldset className="flex rounded-md bg-sunken p-0.5">
      <legend className="sr-only">Size of pictures</legend>
      {options.map(([text, value, label]) => (
        <label
          key={text}
          title={label}
          className="flex min-h-7 cursor-pointer items-center rounded-sm px-2.5 font-medium transition-colors has-checked:bg-raised has-checked:text-ink has-checked:shadow-low has-focus-visible:outline-2 has-focus-visible:outline-accent coarse:min-h-11"
        >
          <input
            type="radio"
            name="size-of-pictures"
            aria-label={label}
            checked={isSmaller === value}
            onChange={() => onChoose(value)}
            className="sr-only"
          />
          {text}
        </label>
      ))}
    </fieldset>
  );
}
