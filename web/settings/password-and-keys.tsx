/** The locks of the account: a new password, another recovery key, new keys, and the way out of a forgotten password. */
import { useState } from 'react';
import { Button } from '../ui/button.tsx';
import { type Change, ChangeDialog } from './change-dialog.tsx';

const CHANGES: { change: Change; title: string; text: string; action: string }[] = [
  {
    change: 'password',
    title: 'Password',
    text: 'A new lock for the same keys. Your other devices will ask for it.',
    action: 'Change password',
  },
  {
    change: 'recovery-key',
    title: 'Recovery key',
    text: 'Your spare key, if you forget the password. A new one makes the old one useless.',
    action: 'New recovery key',
  },
  {
    change: 'rotate',
    title: 'Somebody may have my keys',
    text: 'A lost device, a stolen password: get new keys, and sign out everywhere else. What you have stays readable.',
    action: 'Change my keys',
  },
  {
    change: 'forgotten',
    title: 'I forgot my password',
    text: 'As long as you are signed in here, you can choose a new one. Your keys change with it.',
    action: 'Set a new one',
  },
];

export function PasswordAndKeys() {
  const [change, setChange] = useState<Change | null>(null);
  return (
    <>
      <ul className="grid gap-4">
        {CHANGES.map(({ change: one, title, text, action }) => (
          <li key={one} className="flex flex-wrap items-center gap-x-4 gap-y-2">
            <span className="min-w-48 flex-1">
              <span className="block font-medium">{title}</span>
              <span className="block text-sm text-muted">{text}</span>
            </span>
            <Button onClick={() => setChange(one)}>{action}</Button>
          </li>
        ))}
      </ul>
      {change && <ChangeDialog change={change} onClose={() => setChange(null)} />}
    </>
  );
}
