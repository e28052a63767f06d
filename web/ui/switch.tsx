/** A setting that is on or off, with its words beside it. */
import { Switch as Base } from '@base-ui/react/switch';
import { useId } from 'react';

interface SwitchProps {
  label: string;
  text: string;
  checked: boolean;
  disabled?: boolean;
  onChange: (checked: boolean) => void;
}

export function Switch({ label, text, checked, disabled = false, onChange }: SwitchProps) {
  const id = useId();
  return (
    <div className="flex items-center gap-4">
      <label htmlFor={id} className="stack min-w-0 flex-1 cursor-pointer leading-snug">
        <span className="font-medium">{label}</span>
        <span id={`${id}-text`} className="text-sm text-muted">
          {text}
        </span>
      </label>
      <Base.Root
        id={id}
        aria-describedby={`${id}-text`}
        checked={checked}
        disabled={disabled}
        onCheckedChange={onChange}
        className="relative h-7 w-12 shrink-0 cursor-pointer rounded-full bg-edge p-0.5 transition-colors after:absolute after:-inset-2 data-[checked]:bg-accent data-[disabled]:cursor-default data-[disabled]:opacity-60"
      >
        <Base.Thumb className="block size-6 rounded-full bg-surface shadow-low transition-transform data-[checked]:translate-x-5" />
      </Base.Root>
    </div>
  );
}
