/** Letting people into a group, and from where on they may read. */
import { useState } from 'react';
import type { ConversationView } from '#client/types';
import { chat } from '../chat.ts';
import { PeopleFinder } from '../search/people-finder.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Switch } from '../ui/switch.tsx';
import { attempt, tell } from '../ui/toast.tsx';

interface Props {
  conversation: ConversationView;
  onClose: () => void;
  onDone: () => void;
}

export function Adding({ conversation, onClose, onDone }: Props) {
  const [history, setHistory] = useState(false);
  return (
    <Dialog open onOpenChange={onClose} title="Add people" form="sheet">
      <PeopleFinder
        without={conversation.participants.map(({ user }) => user.id)}
        onPick={(user) =>
          attempt(async () => {
            await chat.addParticipant(conversation.id, user.id, 'member', { history });
            tell(
              history ? `${user.displayName} is in, and can read what was written before` : `${user.displayName} is in`,
            );
          })
        }
      />
      <div className="grid gap-4 border-t border-line p-4">
        <Switch
          label="Let them read earlier messages"
          text={
            history
              ? 'They get the keys to everything you can read here.'
              : 'They can read what is written from now on.'
          }
          checked={history}
          onChange={setHistory}
        />
        <Button className="w-full" onClick={onDone}>
          Done
        </Button>
      </div>
    </Dialog>
  );
}
