/** Begins a conversation: with one person at one click, or a group with a name. */
import { ArrowLeft, UsersRound, X } from 'lucide-react';
import { useRef, useState } from 'react';
import { useLocation } from 'wouter';
import type { User } from '#client/types';
import { chat } from '../chat.ts';
import { Avatar } from '../ui/avatar.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field } from '../ui/field.tsx';
import { Spinner } from '../ui/spinner.tsx';
import { tellProblem } from '../ui/toast.tsx';
import { setUi } from '../ui-state.ts';
import { PeopleFinder } from './people-finder.tsx';

export default function NewConversation() {
  const [, navigate] = useLocation();
  const [group, setGroup] = useState(false);
  const [busy, setBusy] = useState(false);
  const input = useRef<HTMLInputElement>(null);

  async function begin(create: () => Promise<string>) {
    if (busy) return;
    setBusy(true);
    try {
      const id = await create();
      setUi({ newConversation: false });
      navigate(`/c/${id}`);
    } catch (error) {
      tellProblem(error);
      setBusy(false);
    }
  }

  return (
    <Dialog
      open
      onOpenChange={(open) => !open && setUi({ newConversation: false })}
      title={group ? 'New group' : 'New conversation'}
      initialFocus={input}
      className="h-[32rem]"
    >
      {busy && (
        <div className="absolute inset-0 z-10 grid place-content-center justify-items-center gap-2 rounded-xl bg-surface/80">
          <Spinner label="Creating the conversation" />
          <p className="text-sm text-muted">Cutting the keys…</p>
        </div>
      )}
      {group ? (
        <NewGroup onBack={() => setGroup(false)} onCreate={(title, ids) => begin(() => chat.createGroup(title, ids))} />
      ) : (
        <PeopleFinder inputRef={input} onPick={(user) => void begin(() => chat.createDirect(user.id))}>
          <button
            type="button"
            onClick={() => setGroup(true)}
            className="flex w-full items-center gap-3 rounded-lg px-2 py-2 text-left hover:bg-hover"
          >
            <span className="grid size-9 place-items-center rounded-md bg-accent-soft text-accent">
              <UsersRound size={18} aria-hidden />
            </span>
            <span className="grid leading-tight">
              <span className="font-medium">New group</span>
              <span className="text-sm text-muted">Several people under one name</span>
            </span>
          </button>
        </PeopleFinder>
      )}
    </Dialog>
  );
}

interface GroupProps {
  onBack: () => void;
  onCreate: (title: string, userIds: string[]) => void;
}

function NewGroup({ onBack, onCreate }: GroupProps) {
  const [title, setTitle] = useState('');
  const [people, setPeople] = useState<User[]>([]);
  const ready = title.trim() !== '' && people.length > 0;
  const toggle = (user: User) =>
    setPeople((now) =>
      now.some(({ id }) => id === user.id) ? now.filter(({ id }) => id !== user.id) : [...now, user],
    );

  return (
    <form
      className="flex min-h-0 flex-1 flex-col"
      onSubmit={(event) => {
        event.preventDefault();
        if (ready)
          onCreate(
            title.trim(),
            people.map(({ id }) => id),
          );
      }}
    >
      <Field
        label="Group name"
        autoFocus
        maxLength={100}
        value={title}
        onChange={(event) => setTitle(event.target.value)}
        className="px-5 pb-3"
      />
      {people.length > 0 && (
        <ul aria-label="Chosen people" className="flex max-h-24 flex-wrap gap-1.5 overflow-y-auto px-5 pb-3">
          {people.map((user) => (
            <li key={user.id} className="flex items-center gap-1.5 rounded-full bg-accent-soft py-0.5 pl-0.5 text-sm">
              <Avatar id={user.id} name={user.displayName} size="xs" />
              {user.displayName}
              <button
                type="button"
                aria-label={`Leave out ${user.displayName}`}
                onClick={() => toggle(user)}
                className="grid size-7 place-items-center rounded-full hover:bg-hover coarse:size-11"
              >
                <X size={14} aria-hidden />
              </button>
            </li>
          ))}
        </ul>
      )}
      <PeopleFinder chosen={people.map(({ id }) => id)} onPick={toggle}>
        <p className="px-2 py-4 text-sm text-muted">Type a name and choose as many people as you like.</p>
      </PeopleFinder>
      <div className="flex justify-between gap-2 border-t border-line px-5 py-3">
        <Button shape="quiet" onClick={onBack}>
          <ArrowLeft size={16} aria-hidden /> Back
        </Button>
        <Button type="submit" shape="primary" disabled={!ready}>
          Create group
        </Button>
      </div>
    </form>
  );
}
