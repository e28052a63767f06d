/** Makes an account. The keys are made here, in the browser, which takes a breath. */
import { useState } from 'react';
import { chat } from '../chat.ts';
import { Button } from '../ui/button.tsx';
import { cn } from '../ui/cn.ts';
import { Field } from '../ui/field.tsx';
import { setUi, useUi } from '../ui-state.ts';
import { plainWords } from '../words.ts';
import { MakingKeys } from './making-keys.tsx';
import { PasswordField } from './password-field.tsx';
import { MIN_PASSWORD } from './strength.ts';
import { StrengthHint } from './strength-hint.tsx';
import { rememberVisit } from './visits.ts';

type FieldName = 'username' | 'email' | 'password';
const USERNAME = /^[A-Za-z0-9][A-Za-z0-9._-]{1,31}$/;

function problemsOf(values: Record<FieldName, string>): Partial<Record<FieldName, string>> {
  const problems: Partial<Record<FieldName, string>> = {};
  if (!USERNAME.test(values.username)) problems.username = '2 to 32 letters, digits, dots, dashes or underscores.';
  if (!/^\S+@\S+\.\S+$/.test(values.email)) problems.email = 'This does not look like an e-mail address.';
  if ([...values.password].length < MIN_PASSWORD) problems.password = `At least ${MIN_PASSWORD} characters, please.`;
  return problems;
}

const FIELD_OF_REASON: Record<string, FieldName> = { username_taken: 'username', email_taken: 'email' };

export function RegisterForm({ onLogin }: { onLogin: () => void }) {
  const [values, setValues] = useState({ displayName: '', username: '', email: '', password: '' });
  const [problems, setProblems] = useState<Partial<Record<FieldName | 'form', string>>>({});
  const busy = useUi((state) => state.registering);
  const set = (name: keyof typeof values) => (event: React.ChangeEvent<HTMLInputElement>) => {
    setValues({ ...values, [name]: event.target.value });
    setProblems((now) => Object.fromEntries(Object.entries(now).filter(([key]) => key !== name && key !== 'form')));
  };

  async function submit(event: React.FormEvent) {
    event.preventDefault();
    const trimmed = { ...values, username: values.username.trim(), email: values.email.trim() };
    const found = problemsOf(trimmed);
    setProblems(found);
    if (Object.keys(found).length > 0) return;
    setUi({ registering: true });
    try {
      const { displayName, ...rest } = trimmed;
      const name = displayName.trim();
      const { recoveryKey } = await chat.register({ ...rest, ...(name ? { displayName: name } : {}) });
      rememberVisit();
      setUi({ registering: false, recoveryKey });
    } catch (error) {
      setUi({ registering: false });
      const reason = typeof error === 'object' && error && 'reason' in error ? String(error.reason) : '';
      setProblems({ [FIELD_OF_REASON[reason] ?? 'form']: plainWords(error) });
    }
  }

  return (
    <div className="relative">
      {busy && <MakingKeys />}
      <form onSubmit={submit} noValidate className={cn('grid gap-4', busy && 'invisible')} inert={busy}>
        <div>
          <h1 className="text-2xl font-semibold tracking-tight">Make yourself at home</h1>
          <p className="mt-2 text-muted">An account takes a minute, and your keys never leave your hands.</p>
        </div>
        <Field
          label="Display name"
          placeholder="How others see you"
          autoComplete="name"
          maxLength={64}
          value={values.displayName}
          onChange={set('displayName')}
        />
        <Field
          label="Username"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          required
          value={values.username}
          onChange={set('username')}
          error={problems.username}
        />
        <Field
          label="Email"
          type="email"
          autoComplete="email"
          required
          value={values.email}
          onChange={set('email')}
          error={problems.email}
        />
        <PasswordField
          autoComplete="new-password"
          required
          value={values.password}
          onChange={set('password')}
          error={problems.password}
          hint={<StrengthHint password={values.password} />}
        />
        {problems.form && (
          <p role="alert" className="rounded-md bg-danger-soft px-4 py-3 text-sm text-danger">
            {problems.form}
          </p>
        )}
        <Button type="submit" shape="primary" className="mt-1 min-h-11 text-base">
          Create account
        </Button>
        <p className="text-sm text-muted">
          Already here?{' '}
          <button type="button" onClick={onLogin} className="font-semibold text-accent underline underline-offset-4">
            Log in
          </button>
        </p>
      </form>
    </div>
  );
}
