/** Looks of menus; the behaviour is Base UI's. */
import { Menu } from '@base-ui/react/menu';
import type { ComponentProps } from 'react';
import { cn } from './cn.ts';

export const popupClass =
  'z-50 rounded-lg border border-line bg-raised p-1 text-ink shadow-mid outline-none transition-[opacity,transform] duration-100 data-[ending-style]:opacity-0 data-[starting-style]:scale-95 data-[starting-style]:opacity-0';

export function MenuItem({ danger, className, ...props }: ComponentProps<typeof Menu.Item> & { danger?: boolean }) {
  return (
    <Menu.Item
      className={cn(
        'flex min-h-9 items-center gap-3 rounded-md px-3 py-1 text-sm outline-none select-none coarse:min-h-11',
        danger ? 'text-danger data-[highlighted]:bg-danger-soft' : 'data-[highlighted]:bg-hover',
        className as string,
      )}
      {...props}
    />
  );
}
