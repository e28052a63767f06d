/** What a group is about, in its people's words; sealed together with its name. */
import { useState } from 'react';
import type { ConversationView } from '#client/types';
import { chat } from '../chat.ts';
import { Button } from '../ui/button.tsx';
import { inputClass } from '../ui/field.tsx';
import { attempt } from '../ui/toast.tsx';
import { mayManage } from './rights.ts';

const MAX = 200;

export function GroupTopic({ conversation }: { conversation: ConversationView }) {
  const { id, topic } = conversation;
  const [draft, setDraft] = useState<string | null>(null);
  if (!mayManage(conversation)) {
    return topic === null ? null : <p className="mt-1 text-sm text-muted wrap-anywhere">{topic}</p>;
  }
  if (draft === null) {
    return (
      <button
        type="button"
        onClick={() => setDraft(topic ?? '')}
        className="mt-1 cursor-pointer rounded-md px-2 py-1 text-sm text-muted wrap-anywhere hover:bg-hover"
      >
        <span className="sr-only">Change the topic: </span>
        {topic ?? 'Add a topic'}
      </button>
    );
  }
  return (
    <form
      className="mt-2 flex w-full gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        setDraft(null);
        const next = draft.trim();
        if (next !== (topic ?? '')) attempt(() => chat.update(id, { topic: next }));
      }}
    >
      <input
        autoFocus
        aria-label="Topic"
        placeholder="What is this group about?"
        maxLength={MAX}
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
