/** A forgotten password, with the recovery key at hand. */
import { useState } from 'react';
import { chat } from '../chat.ts';
import { Field } from '../ui/field.tsx';
import { NewPassword, problemOfPassword } from './new-password.tsx';
import { WayBack } from './way-back.tsx';

const needsCode = (error: unknown) => error instanceof Error && 'reason' in error && error.reason === 'code_required';

export function WithRecoveryKey({ onBack }: { onBack: () => void }) {
  const [login, setLogin] = useState('');
  const [recoveryKey, setRecoveryKey] = useState('');
  const [password, setPassword] = useState('');
  /** Undefined until the server wants one. */
  const [code, setCode] = useState<string>();

  const check = () => {
    if (!login.trim() || !recoveryKey.trim()) return 'Please fill in all fields.';
    return problemOfPassword(password);
  };
  async function enter() {
    const input = { login: login.trim(), recoveryKey, password };
    try {
      return await chat.recover(code === undefined ? input : { ...input, code });
    } catch (error) {
      if (!needsCode(error)) throw error;
      await chat.requestCode({ login: input.login, purpose: 'recover' });
      setCode('');
      return undefined;
    }
  }

  return (
    <WayBack
      title="Back in with your spare key"
      text="Everything you have written and received comes back. Other devices are signed out, and you get a new spare key."
      action="Set new password"
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
      <Field
        label="Recovery key"
        autoComplete="off"
        autoCapitalize="characters"
        spellCheck={false}
        value={recoveryKey}
        onChange={(event) => setRecoveryKey(event.target.value)}
        hint="34 characters. Upper or lower case and the dashes do not matter."
      />
      <NewPassword value={password} onChange={setPassword} />
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
    </WayBack>
  );
}
