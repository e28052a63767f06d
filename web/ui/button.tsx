/** Buttons in the few forms that this product has. Targets are 44 px wherever a finger points. */
import type { ComponentProps } from 'react';
import { cn } from './cn.ts';

const SHAPES = {
  primary: 'bg-accent text-on-accent hover:bg-accent-strong px-4 font-semibold',
  secondary: 'bg-raised text-ink border border-line hover:bg-hover px-4 font-medium shadow-low',
  quiet: 'text-muted hover:bg-hover hover:text-ink px-3 font-medium',
  danger: 'bg-danger text-on-danger hover:opacity-90 px-4 font-semibold',
  icon: 'size-9 text-muted hover:bg-hover hover:text-ink coarse:size-11',
} as const;

export interface ButtonProps extends ComponentProps<'button'> {
  shape?: keyof typeof SHAPES;
}

export const buttonClass = (shape: keyof typeof SHAPES, className?: string) =>
  cn(
    'inline-flex shrink-0 items-center justify-center gap-2 rounded-md text-sm transition-colors select-none disabled:opacity-50',
    shape !== 'icon' && 'min-h-10 coarse:min-h-11',
    SHAPES[shape],
    className,
  );

export function Button({ shape = 'secondary', className, ...props }: ButtonProps) {
  return <button type="button" className={buttonClass(shape, className)} {...props} />;
}
