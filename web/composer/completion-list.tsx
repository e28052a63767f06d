/** The emoji a shortcode could become, above the text box. */
import { cn } from '../ui/cn.ts';
import type { Completion } from './shortcodes.ts';

interface Props {
  id: string;
  options: Completion[];
  index: number;
  onPick: (option: Completion) => void;
}

export function CompletionList({ id, options, index, onPick }: Props) {
  if (options.length === 0) return null;
  return (
    <div
      id={id}
      role="listbox"
      aria-label="Emoji"
      className="absolute bottom-full left-0 z-20 mb-2 min-w-56 rounded-lg border border-line bg-raised p-1 shadow-mid"
    >
      {options.map((option, position) => (
        <div
          key={option.code}
          id={`${id}-${position}`}
          role="option"
          tabIndex={-1}
          aria-selected={position === index}
          // The text box keeps the focus.
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => onPick(option)}
          className={cn(
            'flex min-h-9 items-center gap-3 rounded-md px-3 text-sm coarse:min-h-11',
            position === index && 'bg-hover',
          )}
        >
          <span className="text-lg">{option.emoji}</span>:{option.code}:
        </div>
      ))}
    </div>
  );
}
