/** A button that is only a picture: the name goes to screen readers and into the tooltip. */
import { Button, type ButtonProps } from './button.tsx';
import { Tooltip } from './tooltip.tsx';

export function IconButton({ label, ...props }: Omit<ButtonProps, 'aria-label'> & { label: string }) {
  return (
    <Tooltip text={label}>
      <Button shape="icon" aria-label={label} {...props} />
    </Tooltip>
  );
}
