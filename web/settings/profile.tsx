/** My name as others see it. */
import { useState } from 'react';
import { chat, useMe } from '../chat.ts';
import { Avatar } from '../ui/avatar.tsx';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';
import { attempt, tell } from '../ui/toast.tsx';

export function Profile() {
  const me = useMe();
  const [name, setName] = useState(me.displayName);
  const next = name.trim();
  return (
    <form
      className="flex flex-wrap items-start gap-4 md:flex-nowrap"
      onSubmit={(event) => {
        event.preventDefault();
        attempt(async () => {
          await chat.updateMe({ displayName: next });
          tell('Saved');
        });
      }}
    >
      <Avatar id={me.id} name={next || me.displayName} size="lg" />
      <div className="stack min-w-0 flex-1 basis-full gap-3 md:basis-auto">
        <Field label="Display name" maxLength={64} value={name} onChange={(event) => setName(event.target.value)} />
        <p className="text-sm text-muted wrap-anywhere">
          @{me.username} · {me.email}
        </p>
        <Button
          type="submit"
          shape="primary"
          className="justify-self-start"
          disabled={!next || next === me.displayName}
        >
          Save
        </Button>
      </div>
    </form>
  );
}
