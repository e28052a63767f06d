/** The recovery key, shown this one time: copied, kept, printed - and proven to be, or knowingly skipped. */
import { Check, Copy, Download, KeyRound, Printer } from 'lucide-react';
import { useState } from 'react';
import { peekChat } from '../chat.ts';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { tell } from '../ui/toast.tsx';
import { setUi } from '../ui-state.ts';
import { RecoveryKeyCheck } from './recovery-key-check.tsx';

function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  const link = Object.assign(document.createElement('a'), { href: url, download: name });
  link.click();
  URL.revokeObjectURL(url);
}

const myUsername = () => {
  const { session } = peekChat();
  return session.status === 'signed-in' ? session.me.username : '';
};

export function RecoveryKey({ value }: { value: string }) {
  // Signed out elsewhere meanwhile, the key on the screen is still the only copy.
  const [username] = useState(myUsername);
  const [copied, setCopied] = useState(false);
  const [checking, setChecking] = useState(false);
  const [skipping, setSkipping] = useState(false);
  const proceed = () => setUi({ recoveryKey: null });

  async function copy() {
    try {
      await navigator.clipboard.writeText(value);
      setCopied(true);
    } catch {
      tell('Copying is blocked here. Please select the key and copy it by hand.');
    }
  }
  const save = () =>
    download(
      `parley-recovery-key-${username}.txt`,
      `Parley recovery key of ${username} at ${window.location.origin}\n\n${value}\n\nKeep it like a house key.\n`,
    );

  if (checking) return <RecoveryKeyCheck value={value} onBack={() => setChecking(false)} onDone={proceed} />;
  return (
    <div className="grid gap-5">
      <div>
        <span className="mb-4 grid size-12 place-items-center rounded-lg bg-fresh-soft text-fresh">
          <KeyRound size={24} aria-hidden />
        </span>
        <h1 className="text-2xl font-semibold tracking-tight">Your spare key</h1>
        <p className="mt-2 text-muted">
          Nobody else can open your conversations, and that includes us. If you ever forget your password, this key
          brings everything back. It is shown this one time, and a spare key from before does not work any more.
        </p>
      </div>
      <output
        aria-label="Recovery key"
        className="block rounded-lg border border-dashed border-edge bg-raised p-4 text-center font-mono text-base leading-7 break-words select-all"
      >
        {value}
      </output>
      <div className="grid grid-cols-3 gap-2">
        <Button className="px-2" onClick={copy}>
          {copied ? <Check size={16} aria-hidden /> : <Copy size={16} aria-hidden />}
          {copied ? 'Copied' : 'Copy'}
        </Button>
        <Button className="px-2" onClick={save}>
          <Download size={16} aria-hidden /> Download
        </Button>
        <Button className="px-2" onClick={() => window.print()}>
          <Printer size={16} aria-hidden /> Print
        </Button>
      </div>
      <div className="grid gap-1">
        <Button shape="primary" className="min-h-11 text-base" onClick={() => setChecking(true)}>
          I have saved it
        </Button>
        <Button shape="quiet" onClick={() => setSkipping(true)}>
          Skip
        </Button>
      </div>
      <Confirm
        open={skipping}
        onOpenChange={setSkipping}
        title="Go on without a spare key?"
        text="If you forget your password, everything you have written and received may be lost for good. The key cannot be shown again; you can make another one in the settings."
        action="Skip anyway"
        onConfirm={proceed}
      />
    </div>
  );
}
