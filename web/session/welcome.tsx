/** The door: log in or make an account, beside a picture of what waits behind it. */
import { useState } from 'react';
import { Link } from 'wouter';
import type { SessionState } from '#client/types';
import { SERVER_KNOWS } from '../about/address.ts';
import { Wordmark } from '../ui/logo.tsx';
import { useUi } from '../ui-state.ts';
import { Forgot } from './forgot.tsx';
import { LoginForm } from './login-form.tsx';
import { Postcard } from './postcard.tsx';
import { RecoveryKey } from './recovery-key.tsx';
import { RegisterForm } from './register-form.tsx';
import { beenHere } from './visits.ts';

type Reason = Extract<SessionState, { status: 'signed-out' }>['reason'];

const NOTES: Partial<Record<Reason, string>> = {
  expired: 'Your session has ended, as it does after a long time away. Log in and everything is back.',
  revoked: 'This device was signed out from another one. Log in to use it again.',
  'logged-out': 'You are logged out, and nothing of yours is left in this browser. See you soon.',
};

export function Welcome({ reason }: { reason: Reason }) {
  const [view, setView] = useState<'login' | 'register' | 'forgot'>(
    reason !== 'none' || beenHere() ? 'login' : 'register',
  );
  const recoveryKey = useUi((state) => state.recoveryKey);
  const note = NOTES[reason];
  return (
    <div className="grid h-full overflow-y-auto lg:grid-cols-[1fr_minmax(32rem,44%)]">
      <main className="flex min-h-full flex-col px-[max(1.25rem,env(safe-area-inset-left))] py-6 md:px-10">
        <Wordmark />
        <div className="mx-auto flex w-full max-w-sm flex-1 flex-col justify-center py-8">
          {recoveryKey ? (
            <RecoveryKey value={recoveryKey} />
          ) : (
            <>
              {note && view === 'login' && (
                <p role="status" className="mb-6 rounded-md bg-accent-soft px-4 py-3 text-sm">
                  {note}
                </p>
              )}
              {view === 'login' && (
                <LoginForm onRegister={() => setView('register')} onForgot={() => setView('forgot')} />
              )}
              {view === 'register' && <RegisterForm onLogin={() => setView('login')} />}
              {view === 'forgot' && <Forgot onBack={() => setView('login')} />}
            </>
          )}
        </div>
        <Link
          href={SERVER_KNOWS}
          className="self-center text-sm text-muted underline-offset-2 hover:text-ink hover:underline"
        >
          What the server knows
        </Link>
      </main>
      <Postcard />
    </div>
  );
}
