/** Two people compare what their screens show: numbers read aloud, or a code held before a camera. */
import { ScanLine, ShieldAlert, ShieldCheck } from 'lucide-react';
import { useEffect, useState } from 'react';
import { selectTrust, selectUser } from '#client/select';
import type { SafetyNumber, User } from '#client/types';
import { chat, useChat } from '../chat.ts';
import { firstName } from '../naming.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Spinner } from '../ui/spinner.tsx';
import { tell, tellProblem } from '../ui/toast.tsx';
import { setUi, useUi } from '../ui-state.ts';
import { plainWords } from '../words.ts';
import { QrCode } from './qr-code.tsx';
import { canScan, Scanner } from './scanner.tsx';

const close = () => setUi({ verifying: null });

export default function VerifyDialog() {
  const userId = useUi((state) => state.verifying) ?? '';
  const user = useChat(selectUser(userId));
  if (!user) return null;
  return (
    <Dialog open onOpenChange={(open) => !open && close()} title={`Is this really ${user.displayName}?`}>
      <Comparison key={userId} user={user} />
    </Dialog>
  );
}

function Comparison({ user }: { user: User }) {
  const trust = useChat(selectTrust(user.id));
  const name = firstName(user);
  const [shown, setShown] = useState<SafetyNumber | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  const [scanning, setScanning] = useState(false);
  useEffect(() => {
    let current = true;
    chat.safetyNumber(user.id).then(
      (found) => current && setShown(found),
      (error: unknown) => current && setProblem(error),
    );
    return () => {
      current = false;
    };
  }, [user.id]);

  async function settle(act: () => Promise<void>, words: string) {
    try {
      await act();
      tell(words);
      close();
    } catch (error) {
      tellProblem(error);
    }
  }
  const verify = ({ number }: SafetyNumber) =>
    settle(() => chat.verify(user.id, number), `You have verified ${user.displayName}`);

  if (problem !== null) {
    return (
      <p role="alert" className="px-5 pb-6 text-danger">
        {plainWords(problem)}
      </p>
    );
  }
  if (!shown) {
    return (
      <div className="grid h-60 place-items-center">
        <Spinner label="Working out the number" />
      </div>
    );
  }
  if (scanning) {
    return (
      <Scanner
        onCancel={() => setScanning(false)}
        onCode={async (code) => {
          setScanning(false);
          if (await chat.matchesCode(user.id, code)) return verify(shown);
          tell(`That is not the code you share with ${name}. Do not go on before you know why.`);
        }}
      />
    );
  }
  return (
    <div className="grid min-h-0 gap-4 overflow-y-auto px-5 pb-5">
      <State trust={trust} name={name} />
      <p className="text-sm text-muted">
        Compare this number with the screen of {name}, in person or on a call. If both show the same, nobody stands
        between you.
      </p>
      <div className="grid justify-items-center gap-4">
        <QrCode text={shown.code} label={`Code to be scanned by ${name}`} />
        <output
          aria-label="Safety number"
          className="grid grid-cols-4 gap-x-4 gap-y-1 rounded-lg border border-line bg-raised px-4 py-3 font-mono text-base tabular-nums select-all"
        >
          {shown.number.split(' ').map((group, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: twelve groups in a fixed order
            <span key={i}>{group} </span>
          ))}
        </output>
      </div>
      <div className="grid gap-1">
        {trust !== 'verified' && (
          <Button shape="primary" className="min-h-11" onClick={() => void verify(shown)}>
            <ShieldCheck size={17} aria-hidden /> They match
          </Button>
        )}
        {canScan() && (
          <Button onClick={() => setScanning(true)}>
            <ScanLine size={17} aria-hidden /> Scan the code of {name}
          </Button>
        )}
        {trust === 'verified' && (
          <Button
            shape="quiet"
            onClick={() => void settle(() => chat.unverify(user.id), `${user.displayName} is not verified any more`)}
          >
            Take it back
          </Button>
        )}
      </div>
    </div>
  );
}

function State({ trust, name }: { trust: string; name: string }) {
  if (trust === 'unverified') return null;
  const isGood = trust === 'verified';
  const Icon = isGood ? ShieldCheck : ShieldAlert;
  return (
    <p className={`flex items-center gap-2 text-sm font-medium ${isGood ? 'text-accent' : 'text-danger'}`}>
      <Icon size={17} aria-hidden className="shrink-0" />
      {isGood ? `You have verified ${name}, on all your devices.` : `${name} has other keys than those you compared.`}
    </p>
  );
}
