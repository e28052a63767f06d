/** Logs in. The password is stretched here and never sent. */
import { useState } from 'react';
import { chat } from '../chat.ts';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';
import { Spinner } from '../ui/spinner.tsx';
import { plainWords } from '../words.ts';
import { PasswordField } from './password-field.tsx';
import { rememberVisit } from './visits.ts';

export function LoginForm({ onRegister, onForgot }: { onRegister: () => void; onForgot: () => void }) {
  const [login, setLogin] = useState('');
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();

  async function submit(event: React.FormEvent) {
    event.preventDefault();
    if (busy) return;
    if (!login.trim() || !password) return setProblem('Please fill in both fields.');
    setBusy(true);
    setProblem(undefined);
    try {
      await chat.login({ login: login.trim(), password });
      rememberVisit();
    } catch (error) {
      setProblem(plainWords(error));
      setBusy(false);
    }
  }

  return (
    <form onSubmit={submit} noValidate className="grid gap-4">
      <div>
        <h1 className="text-2xl font-semibold tracking-tight">Good to see you</h1>
        <p className="mt-2 text-muted">Your conversations are waiting, all of them.</p>
      </div>
      <Field
        label="Username or email"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        required
        value={login}
        onChange={(event) => setLogin(event.target.value)}
      />
      <PasswordField
        autoComplete="current-password"
        required
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
      {problem && (
        <p role="alert" className="rounded-md bg-danger-soft px-4 py-3 text-sm text-danger">
          {problem}
        </p>
      )}
      <Button type="submit" shape="primary" aria-disabled={busy} className="mt-1 min-h-11 text-base">
        Log in
        {busy && <Spinner label="Unlocking your keys" className="text-current" />}
      </Button>
      <button
        type="button"
        onClick={onForgot}
        className="justify-self-start text-sm font-medium text-accent underline underline-offset-4"
      >
        Forgot your password?
      </button>
      <p className="text-sm text-muted">
        New here?{' '}
        <button type="button" onClick={onRegister} className="font-semibold text-accent underline underline-offset-4">
          Create account
        </button>
      </p>
    </form>
  );
}
