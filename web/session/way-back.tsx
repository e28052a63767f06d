/** The frame of each way back in: fields in a form, a problem in words, keys being made, and at the end a new recovery key. */
import { type ReactNode, useState } from 'react';
import type { NewRecoveryKey } from '#client/types';
import { Button } from '../ui/button.tsx';
import { cn } from '../ui/cn.ts';
import { setUi, useUi } from '../ui-state.ts';
import { plainWords } from '../words.ts';
import { MakingKeys } from './making-keys.tsx';
import { rememberVisit } from './visits.ts';

interface WayBackProps {
  title: string;
  text: ReactNode;
  action: string;
  onBack: () => void;
  /** A problem with what was typed; nothing is done then. */
  check: () => string | undefined;
  /** Signs in. Undefined when another step comes first. */
  enter: () => Promise<NewRecoveryKey | undefined>;
  children: ReactNode;
}

const reasonOf = (error: unknown) => (error instanceof Error && 'reason' in error ? error.reason : undefined);

export function WayBack({ title, text, action, onBack, check, enter, children }: WayBackProps) {
  const [problem, setProblem] = useState<string>();
  const busy = useUi((state) => state.registering);

  async function submit(event: React.FormEvent) {
    event.preventDefault();
    const found = check();
    setProblem(found);
    if (found || busy) return;
    setUi({ registering: true });
    try {
      const made = await enter();
      if (made) rememberVisit();
      setUi({ registering: false, recoveryKey: made?.recoveryKey ?? null });
    } catch (error) {
      setUi({ registering: false });
      const isNoKey = reasonOf(error) === 'invalid_credentials';
      setProblem(isNoKey ? 'That name and recovery key do not go together.' : plainWords(error));
    }
  }

  return (
    <div className="relative">
      {busy && <MakingKeys />}
      <form onSubmit={submit} noValidate className={cn('grid gap-4', busy && 'invisible')} inert={busy}>
        <div>
          <h1 className="text-2xl font-semibold tracking-tight">{title}</h1>
          <div className="mt-2 text-muted">{text}</div>
        </div>
        {children}
        {problem && (
          <p role="alert" className="rounded-md bg-danger-soft px-4 py-3 text-sm text-danger">
            {problem}
          </p>
        )}
        <div className="mt-1 grid gap-1">
          <Button type="submit" shape="primary" className="min-h-11 text-base">
            {action}
          </Button>
          <Button shape="quiet" onClick={onBack}>
            Back
          </Button>
        </div>
      </form>
    </div>
  );
}
