/** The whole world of emoji: searched by typing, walked by arrow keys. A chunk of its own. */
import { EmojiPicker as Picker } from 'frimousse';
import { cn } from '../ui/cn.ts';
import { inputClass } from '../ui/field.tsx';
import { Spinner } from '../ui/spinner.tsx';
import { loadEmoji } from './emoji-data.ts';

/** ARIA counts rows and columns from one; the picker from zero. */
const fromOne = (index: number | undefined) => (index ?? 0) + 1;

export default function EmojiPicker({ onPick }: { onPick: (emoji: string) => void }) {
  return (
    <Picker.Root
      columns={8}
      resolveEmojiData={loadEmoji}
      onEmojiSelect={({ emoji }) => onPick(emoji)}
      className="flex h-80 w-80 max-w-[calc(100vw-2rem)] flex-col"
    >
      <div className="p-1.5">
        <Picker.Search
          autoFocus
          aria-label="Search emoji"
          placeholder="Search"
          className={cn(inputClass, 'h-9 text-sm')}
        />
      </div>
      <Picker.Viewport tabIndex={0} aria-label="Emoji by category" className="relative min-h-0 flex-1 outline-none">
        <Picker.Loading className="absolute inset-0 grid place-items-center">
          <Spinner label="Loading emoji" />
        </Picker.Loading>
        <Picker.Empty className="absolute inset-0 grid place-items-center text-sm text-muted">
          No emoji of that name.
        </Picker.Empty>
        <Picker.List
          className="pb-2 select-none"
          components={{
            CategoryHeader: ({ category, ...props }) => (
              <div {...props} className="bg-raised px-2.5 pt-2 pb-1 text-xs font-semibold text-muted">
                {category.label}
              </div>
            ),
            Row: ({ children, ...props }) => (
              <div {...props} aria-rowindex={fromOne(props['aria-rowindex'])} className="px-1.5">
                {children}
              </div>
            ),
            Emoji: ({ emoji, ...props }) => (
              <button
                {...props}
                aria-colindex={fromOne(props['aria-colindex'])}
                className="grid h-9.5 flex-1 place-items-center rounded-md text-xl data-[active]:bg-hover"
              >
                {emoji.emoji}
              </button>
            ),
          }}
        />
      </Picker.Viewport>
    </Picker.Root>
  );
}
