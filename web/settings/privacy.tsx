/** What others may see of me. Each goes both ways, and says so. */
import { useState } from 'react';
import type { Me } from '#client/types';
import { chat, useMe } from '../chat.ts';
import { Switch } from '../ui/switch.tsx';
import { tellProblem } from '../ui/toast.tsx';

const CHOICES = [
  {
    name: 'receipts',
    label: 'Read receipts',
    text: 'Others see what you have read. Off, you do not see it of them either.',
  },
  {
    name: 'presence',
    label: 'Online and last seen',
    text: 'Others see when you are here. Off, everybody looks offline to you.',
  },
  { name: 'typing', label: 'Typing', text: 'Others see that you are writing. Off, you do not see it of them.' },
] as const;

export function PrivacyChoices() {
  const { privacy } = useMe();
  const [saving, setSaving] = useState<keyof Me['privacy'] | null>(null);
  async function choose(name: keyof Me['privacy'], isShared: boolean) {
    setSaving(name);
    await chat.updateMe({ privacy: { [name]: isShared } }).catch(tellProblem);
    setSaving(null);
  }
  return (
    <div className="grid gap-5">
      {CHOICES.map(({ name, label, text }) => (
        <Switch
          key={name}
          label={label}
          text={text}
          checked={saving === name ? !privacy[name] : privacy[name]}
          disabled={saving !== null}
          onChange={(isShared) => void choose(name, isShared)}
        />
      ))}
    </div>
  );
}
