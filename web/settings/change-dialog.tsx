/** Asks for what a change of the account's locks needs, and carries it out. What makes a recovery key hands it to its own screen. */
import { useState } from 'react';
import { chat } from '../chat.ts';
import { NewPassword, problemOfPassword } from '../session/new-password.tsx';
import { PasswordField } from '../session/password-field.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field } from '../ui/field.tsx';
import { Spinner } from '../ui/spinner.tsx';
import { tell } from '../ui/toast.tsx';
import { setUi } from '../ui-state.ts';
import { plainWords } from '../words.ts';

export type Change = 'password' | 'recovery-key' | 'rotate' | 'forgotten';

const WORDS: Record<Change, { title: string; text: string; action: string }> = {
  password: {
    title: 'Change your password',
    text: 'Other devices are signed out and can come back with the new one.',
    action: 'Change password',
  },
  'recovery-key': {
    title: 'A new recovery key',
    text: 'The one you have now stops working at once.',
    action: 'Make a new one',
  },
  rotate: {
    title: 'Change your keys',
    text: 'New keys for all your conversations, and a new recovery key. Every other device is signed out. If your password may be known, change it as well.',
    action: 'Change my keys',
  },
  forgotten: {
    title: 'Set a new password',
    text: 'This device vouches for you. Your keys change, you get a new recovery key, and every other device is signed out.',
    action: 'Set new password',
  },
};

/** Changed or not: no answer came. */
const UNKNOWN: Record<Change, string> = {
  password: 'your new password may already be in force',
  'recovery-key': 'the recovery key you have may not work any more',
  rotate: 'your keys may have changed already',
  forgotten: 'your new password may already be in force',
};

const reasonOf = (error: unknown) => (error instanceof Error && 'reason' in error ? error.reason : undefined);

function wordsFor(change: Change, error: unknown): string {
  const reason = reasonOf(error);
  if (reason === 'outcome_unknown')
    return `No answer came, so ${UNKNOWN[change]}. Please try again when you are online.`;
  return reason === 'invalid_credentials' ? 'That is not your password.' : plainWords(error);
}

export function ChangeDialog({ change, onClose }: { change: Change; onClose: () => void }) {
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  /** Undefined until the server wants one. */
  const [code, setCode] = useState<string>();
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const { title, text, action } = WORDS[change];
  const asksCurrent = change !== 'forgotten';
  const asksNext = change === 'password' || change === 'forgotten';

  async function carryOut(): Promise<void> {
    if (change === 'password') {
      await chat.changePassword({ current, next });
      tell('Your password is changed');
      return;
    }
    const withCode = code === undefined ? {} : { code };
    const { recoveryKey } =
      change === 'rotate'
        ? await chat.rotateKeys({ password: current })
        : change === 'recovery-key'
          ? await chat.newRecoveryKey({ password: current })
          : await chat.setPasswordHere({ password: next, ...withCode });
    setUi({ recoveryKey });
  }

  async function submit(event: React.FormEvent) {
    event.preventDefault();
    if (busy) return;
    const missing = asksCurrent && !current ? 'Please type your password.' : undefined;
    const found = missing ?? (asksNext ? problemOfPassword(next) : undefined);
    setProblem(found);
    if (found) return;
    setBusy(true);
    try {
      await carryOut();
      onClose();
    } catch (error) {
      setBusy(false);
      if (reasonOf(error) === 'code_required') {
        await chat.requestCode({ purpose: 'unlock' }).then(
          () => setCode(''),
          (refused: unknown) => setProblem(plainWords(refused)),
        );
        return;
      }
      setProblem(wordsFor(change, error));
    }
  }

  return (
    <Dialog open onOpenChange={(open) => !open && !busy && onClose()} title={title} description={text}>
      <form onSubmit={submit} noValidate className="grid gap-4 overflow-y-auto px-5 pt-2 pb-5">
        {asksCurrent && (
          <PasswordField
            label={asksNext ? 'Current password' : 'Password'}
            autoComplete="current-password"
            value={current}
            onChange={(event) => setCurrent(event.target.value)}
          />
        )}
        {asksNext && <NewPassword value={next} onChange={setNext} />}
        {code !== undefined && (
          <Field
            label="Code"
            inputMode="numeric"
            autoComplete="one-time-code"
            value={code}
            onChange={(event) => setCode(event.target.value)}
            hint="We have sent you ten digits by e-mail. They are good for 15 minutes."
          />
        )}
        {problem && (
          <p role="alert" className="rounded-md bg-danger-soft px-4 py-3 text-sm text-danger">
            {problem}
          </p>
        )}
        <Button type="submit" shape="primary" aria-disabled={busy} className="min-h-11">
          {action}
          {busy && <Spinner label="Working on your keys" className="text-current" />}
        </Button>
      </form>
    </Dialog>
  );
}
