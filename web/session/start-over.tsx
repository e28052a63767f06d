/** A reset: no password, no recovery key, no device. One is oneself again, and says good-bye to the past. */
import { useState } from 'react';
import { chat } from '../chat.ts';
import { Field } from '../ui/field.tsx';
import { NewPassword, problemOfPassword } from './new-password.tsx';
import { WayBack } from './way-back.tsx';

export function StartOver({ onBack }: { onBack: () => void }) {
  const [login, setLogin] = useState('');
  /** Whether a letter is on its way; undefined until it was asked for. */
  const [mailed, setMailed] = useState<boolean>();
  const [code, setCode] = useState('');
  const [password, setPassword] = useState('');
  const [understood, setUnderstood] = useState(false);

  const check = () => {
    if (!login.trim()) return 'Please fill in your username or e-mail address.';
    if (mailed === undefined) return undefined;
    if (!code.trim()) return 'Please fill in the code.';
    return problemOfPassword(password) ?? (understood ? undefined : 'Please confirm that you know what is lost.');
  };
  async function enter() {
    if (mailed !== undefined) return chat.resetAccount({ login: login.trim(), code, password });
    setMailed((await chat.requestCode({ login: login.trim(), purpose: 'reset' })).mailed);
    return undefined;
  }

  return (
    <WayBack
      title="Start over"
      text={
        <>
          <p>You keep your name, your groups and your contacts.</p>
          <p className="mt-2">
            <strong className="font-semibold text-ink">What was written so far stays locked for good.</strong> Nobody
            has a copy of your keys, not even us. The people you write with are told that your keys are new.
          </p>
        </>
      }
      action={mailed === undefined ? 'Ask for a code' : 'Start over with new keys'}
      onBack={onBack}
      check={check}
      enter={enter}
    >
      <Field
        label="Username or email"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        value={login}
        onChange={(event) => setLogin(event.target.value)}
      />
      {mailed !== undefined && (
        <>
          <p role="status" className="rounded-md bg-accent-soft px-4 py-3 text-sm">
            {mailed
              ? 'If there is such an account, a code is on its way to its mailbox. It is good for 15 minutes.'
              : 'This server sends no mail. Ask the people who run it for a code; they will want to know that it is you.'}
          </p>
          <Field
            label="Code"
            inputMode="numeric"
            autoComplete="one-time-code"
            value={code}
            onChange={(event) => setCode(event.target.value)}
            hint="Ten digits"
          />
          <NewPassword value={password} onChange={setPassword} />
          <label className="flex items-start gap-3 text-sm">
            <input
              type="checkbox"
              className="mt-0.5 size-5 shrink-0 accent-accent"
              checked={understood}
              onChange={(event) => setUnderstood(event.target.checked)}
            />
            I know that I will not be able to read what was written so far.
          </label>
        </>
      )}
    </WayBack>
  );
}
