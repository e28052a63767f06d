/** Light, dark, or whatever the system is. */
import { Radio } from '@base-ui/react/radio';
import { RadioGroup } from '@base-ui/react/radio-group';
import { Monitor, Moon, Sun } from 'lucide-react';
import { type Theme, useTheme } from '../theme.ts';

const CHOICES = [
  { value: 'system', label: 'System', icon: Monitor },
  { value: 'light', label: 'Light', icon: Sun },
  { value: 'dark', label: 'Dark', icon: Moon },
] as const;

export function ThemeChoice() {
  const [theme, setTheme] = useTheme();
  return (
    <RadioGroup
      aria-label="Theme"
      value={theme}
      onValueChange={(value) => setTheme(value as Theme)}
      className="grid grid-cols-3 gap-2"
    >
      {CHOICES.map(({ value, label, icon: Icon }) => (
        <Radio.Root
          key={value}
          value={value}
          aria-label={label}
          className="grid cursor-pointer justify-items-center gap-2 rounded-md border border-line px-2 py-4 text-sm font-medium text-muted hover:bg-hover data-[checked]:border-accent data-[checked]:bg-accent-soft data-[checked]:text-accent"
        >
          <Icon size={20} aria-hidden />
          {label}
        </Radio.Root>
      ))}
    </RadioGroup>
  );
}
