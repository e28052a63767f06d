/** Loud: the keys of somebody here were compared, and are others now. Nothing is sent until that is settled, one way or the other. */
import { ShieldAlert } from 'lucide-react';
import { useState } from 'react';
import type { User } from '#client/types';
import { chat } from '../chat.ts';
import { firstName } from '../naming.ts';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { attempt } from '../ui/toast.tsx';
import { setUi } from '../ui-state.ts';

export function ChangedBanner({ user }: { user: User }) {
  const [accepting, setAccepting] = useState(false);
  const name = firstName(user);
  return (
    <div role="alert" className="flex flex-wrap items-center gap-x-4 gap-y-3 bg-danger-soft px-4 py-3 text-ink md:px-6">
      <ShieldAlert size={22} aria-hidden className="shrink-0 text-danger" />
      <p className="min-w-56 flex-1 text-sm">
        <strong className="block font-semibold text-danger">{user.displayName} has new keys</strong>
        You had compared the old ones, and they did not sign these. Perhaps {name} lost everything and began again;
        perhaps somebody is posing as {name}. Nothing is sent until you decide.
      </p>
      <span className="flex flex-wrap gap-2">
        <Button shape="danger" onClick={() => setUi({ verifying: user.id })}>
          Compare again
        </Button>
        <Button onClick={() => setAccepting(true)}>Go on without</Button>
      </span>
      <Confirm
        open={accepting}
        onOpenChange={setAccepting}
        title={`Trust the new keys of ${name}?`}
        text={`If you have not heard from ${name} themselves that they began again, ask first: on the phone, or in person.`}
        action="Go on without comparing"
        onConfirm={() => attempt(() => chat.acceptChange(user.id))}
      />
    </div>
  );
}
