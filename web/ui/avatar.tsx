/** A picture, or initials on a calm colour that belongs to the id for ever. Decoration: the name always stands beside it as text. */
import { cn } from './cn.ts';

const HUES = [25, 60, 95, 145, 185, 235, 285, 340];
const SIZES = { xs: 'size-6 text-[0.625rem]', sm: 'size-8 text-xs', md: 'size-11 text-sm', lg: 'size-20 text-xl' };

export function hueOf(id: string): number {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 9973;
  return HUES[sum % HUES.length] ?? 145;
}

export function initialsOf(name: string): string {
  const words = name.split(/[\s:,–-]+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) => [...(word ?? '')][0] ?? '');
  return letters.join('').toLocaleUpperCase() || '?';
}

interface AvatarProps {
  id: string;
  name: string;
  size?: keyof typeof SIZES;
  /** Groups are squares with soft corners, people are round. */
  group?: boolean;
  /** A data URL. */
  picture?: string | null;
  className?: string;
}

export function Avatar({ id, name, size = 'md', group, picture, className }: AvatarProps) {
  return (
    <span
      aria-hidden
      style={{ '--hue': hueOf(id) } as React.CSSProperties}
      className={cn(
        'hue grid shrink-0 place-items-center overflow-hidden font-semibold tracking-wide select-none',
        SIZES[size],
        group ? (size === 'lg' ? 'rounded-xl' : 'rounded-md') : 'rounded-full',
        className,
      )}
    >
      {picture ? <img src={picture} alt="" draggable={false} className="size-full object-cover" /> : initialsOf(name)}
    </span>
  );
}
