/** "Forgot your password?": the ways back in, in plain words, the one that loses nothing first. */
import { ChevronRight } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../ui/button.tsx';
import { StartOver } from './start-over.tsx';
import { WithRecoveryKey } from './with-recovery-key.tsx';

type Way = 'recovery-key' | 'here' | 'start-over';

const WAYS: { way: Way; title: string; text: string }[] = [
  { way: 'recovery-key', title: 'I have my recovery key', text: 'Choose a new password. Nothing is lost.' },
  { way: 'here', title: 'I am still signed in somewhere', text: 'Choose a new password there. Nothing is lost.' },
  { way: 'start-over', title: 'I have neither', text: 'Start over. You stay who you are, the past stays locked.' },
];

export function Forgot({ onBack }: { onBack: () => void }) {
  const [way, setWay] = useState<Way>();
  const back = () => setWay(undefined);
  if (way === 'recovery-key') return <WithRecoveryKey onBack={back} />;
  if (way === 'start-over') return <StartOver onBack={back} />;
  if (way === 'here') return <OnTheOtherDevice onBack={back} />;
  return (
    <div className="grid gap-5">
      <div>
        <h1 className="text-2xl font-semibold tracking-tight">Forgot your password?</h1>
        <p className="mt-2 text-muted">It happens. We cannot look it up for you, but there are ways back in.</p>
      </div>
      <ul className="grid gap-2">
        {WAYS.map(({ way: one, title, text }) => (
          <li key={one}>
            <button
              type="button"
              onClick={() => setWay(one)}
              className="flex w-full items-center gap-3 rounded-lg border border-line bg-raised p-4 text-left shadow-low transition-colors hover:bg-hover"
            >
              <span className="min-w-0 flex-1">
                <span className="block font-semibold">{title}</span>
                <span className="mt-0.5 block text-sm text-muted">{text}</span>
              </span>
              <ChevronRight size={18} aria-hidden className="shrink-0 text-muted" />
            </button>
          </li>
        ))}
      </ul>
      <p className="text-sm text-muted">
        You know the password and have lost the recovery key? Log in and make another one under “Password and keys” in
        the settings.
      </p>
      <Button shape="quiet" onClick={onBack}>
        Back to log in
      </Button>
    </div>
  );
}

function OnTheOtherDevice({ onBack }: { onBack: () => void }) {
  return (
    <div className="grid gap-5">
      <div>
        <h1 className="text-2xl font-semibold tracking-tight">Use the other device</h1>
        <p className="mt-2 text-muted">It has what it takes to vouch for you, without the old password.</p>
      </div>
      <ol className="grid list-decimal gap-2 pl-5">
        <li>Open Parley there, and go to the settings.</li>
        <li>Under “Password and keys”, choose “I forgot my password”.</li>
        <li>Choose a new one. Then come back and log in here.</li>
      </ol>
      <Button shape="quiet" onClick={onBack}>
        Back
      </Button>
    </div>
  );
}
