/** What no honest server does, in words, above everything else. It stays. */
import { TriangleAlert } from 'lucide-react';
import type { Alarm } from '#client/types';
import { useChat } from '../chat.ts';

const WORDS: Record<Alarm, string> = {
  split_view:
    'The server shows different people different keys. Do not trust what you read here until it is explained.',
  foreign_identity: 'The server lists keys as yours that are not yours. Somebody may be posing as you.',
  own_identity_rollback:
    'Others have been given newer keys of yours than this device has. If you did not change your keys, somebody is posing as you.',
  settings_rollback: 'The server gave back an old copy of what you had decided about people’s keys. It was not taken.',
};

export function Alarms() {
  const alarms = useChat((state) => state.alarms);
  return (
    <div role="alert">
      {alarms.map((alarm) => (
        <p
          key={alarm}
          className="flex items-center justify-center gap-2 bg-danger px-4 py-2 text-sm font-medium text-on-danger"
        >
          <TriangleAlert size={16} aria-hidden className="shrink-0" />
          <span>{WORDS[alarm]}</span>
        </p>
      ))}
    </div>
  );
}
