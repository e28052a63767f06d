/** A box to find people in, and who was found. Arrow keys walk through them while the box keeps the focus. */
import { Check } from 'lucide-react';
import { type ReactNode, type Ref, useId, useState } from 'react';
import type { User } from '#client/types';
import { Avatar } from '../ui/avatar.tsx';
import { cn } from '../ui/cn.ts';
import { inputClass } from '../ui/field.tsx';
import { Spinner } from '../ui/spinner.tsx';
import { plainWords } from '../words.ts';
import { usePeople } from './use-people.ts';

interface Props {
  onPick: (user: User) => void;
  chosen?: string[];
  /** People who are not offered, such as those already in the group. */
  without?: string[];
  inputRef?: Ref<HTMLInputElement>;
  /** What stands in the place of results until something is typed. */
  children?: ReactNode;
}

export function PeopleFinder({ onPick, chosen = [], without = [], inputRef, children }: Props) {
  const [text, setText] = useState('');
  const [index, setIndex] = useState(0);
  const listId = useId();
  const { people: found, searching, error } = usePeople(text);
  const people = found.filter(({ id }) => !without.includes(id));
  const active = Math.min(index, people.length - 1);

  function onKeyDown(event: React.KeyboardEvent) {
    if (event.key === 'ArrowDown') setIndex(Math.min(active + 1, people.length - 1));
    else if (event.key === 'ArrowUp') setIndex(Math.max(active - 1, 0));
    else if (event.key === 'Enter' && people[active]) pick(people[active]);
    else return;
    event.preventDefault();
  }
  function pick(user: User) {
    onPick(user);
    setText('');
    setIndex(0);
  }

  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="relative px-5 pb-3">
        <input
          ref={inputRef}
          type="text"
          aria-label="Find people"
          placeholder="Name or username"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setIndex(0);
          }}
          onKeyDown={onKeyDown}
          aria-controls={listId}
          aria-activedescendant={people[active] ? `${listId}-${people[active].id}` : undefined}
          className={inputClass}
        />
        {searching && <Spinner label="Searching" className="absolute top-3 right-8" />}
      </div>
      <div
        role="group"
        aria-label="Results"
        // It scrolls, so it has to be reachable; the options themselves are walked from the box above.
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        className="min-h-40 flex-1 overflow-y-auto px-3 pb-3 -outline-offset-2"
      >
        <div id={listId} role="listbox" aria-label="People">
          {people.map((user, position) => (
            <Person
              key={user.id}
              id={`${listId}-${user.id}`}
              user={user}
              active={position === active}
              chosen={chosen.includes(user.id)}
              onPick={() => pick(user)}
            />
          ))}
        </div>
        {text.trim() === '' ? (
          children
        ) : people.length === 0 && !searching ? (
          <p className="px-2 py-6 text-center text-sm text-muted">
            {error ? plainWords(error) : `Nobody called “${text.trim()}” was found.`}
          </p>
        ) : null}
      </div>
    </div>
  );
}

interface PersonProps {
  id: string;
  user: User;
  active: boolean;
  chosen: boolean;
  onPick: () => void;
}

function Person({ id, user, active, chosen, onPick }: PersonProps) {
  return (
    <div
      id={id}
      role="option"
      tabIndex={-1}
      aria-selected={chosen || active}
      onPointerDown={(event) => event.preventDefault()}
      onClick={onPick}
      className={cn('flex items-center gap-3 rounded-lg px-2 py-2 hover:bg-hover', active && 'bg-hover')}
    >
      <Avatar id={user.id} name={user.displayName} size="sm" className="size-9" />
      <span className="stack min-w-0 flex-1 leading-tight">
        <span className="truncate font-medium">{user.displayName}</span>
        <span className="truncate text-sm text-muted">@{user.username}</span>
      </span>
      {chosen && <Check size={18} aria-hidden className="text-accent" />}
    </div>
  );
}
