/** The name of a group, changed in its place. It is sealed like a message; the server never sees it. */
import { Pencil } from 'lucide-react';
import { useState } from 'react';
import type { ConversationView } from '#client/types';
import { chat, useMe } from '../chat.ts';
import { titleOf } from '../naming.ts';
import { Button } from '../ui/button.tsx';
import { inputClass } from '../ui/field.tsx';
import { IconButton } from '../ui/icon-button.tsx';
import { attempt } from '../ui/toast.tsx';

export function GroupName({ conversation }: { conversation: ConversationView }) {
  const me = useMe().id;
  const name = titleOf(conversation, me);
  const [draft, setDraft] = useState<string | null>(null);
  if (draft === null) {
    return (
      <p className="mt-3 flex items-center gap-1 pl-9 text-xl font-semibold tracking-tight">
        <span className="wrap-anywhere">{name}</span>
        <IconButton label="Rename" onClick={() => setDraft(name)}>
          <Pencil size={16} aria-hidden />
        </IconButton>
      </p>
    );
  }
  const title = draft.trim();
  return (
    <form
      className="mt-3 flex w-full gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        setDraft(null);
        if (title && title !== name) attempt(() => chat.rename(conversation.id, title));
      }}
    >
      <input
        autoFocus
        aria-label="Group name"
        maxLength={100}
        value={draft}
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          event.stopPropagation();
          setDraft(null);
        }}
        className={inputClass}
      />
      <Button type="submit" shape="primary" className="h-11">
        Save
      </Button>
    </form>
  );
}
