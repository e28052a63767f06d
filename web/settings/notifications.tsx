/** Whether this browser tells of messages while the page is not looked at; where it cannot, what to do about it. */
import { useState } from 'react';
import { turnOff, turnOn, useStanding } from '../notifications/standing.ts';
import { Switch } from '../ui/switch.tsx';
import { tellProblem } from '../ui/toast.tsx';

export function Notifications() {
  const standing = useStanding();
  const [wanted, setWanted] = useState<boolean | null>(null);
  async function choose(on: boolean) {
    setWanted(on);
    await (on ? turnOn() : turnOff()).catch(tellProblem);
    setWanted(null);
  }
  if (standing === 'unsupported') {
    return (
      <Hint title="Not possible in this browser">
        On an iPhone or iPad, add Parley to the home screen first and open it from there.
      </Hint>
    );
  }
  if (standing === 'blocked') {
    return (
      <Hint title="Your browser blocks them">
        To allow them, open the site settings – the icon to the left of the address – and set Notifications to “Allow”.
      </Hint>
    );
  }
  return (
    <Switch
      label="New messages"
      text="Hear of them while Parley is closed, too. What they say is unlocked on this device only."
      checked={wanted ?? standing === 'on'}
      disabled={wanted !== null}
      onChange={(on) => void choose(on)}
    />
  );
}

function Hint({ title, children }: { title: string; children: string }) {
  return (
    <>
      <p className="font-medium">{title}</p>
      <p className="text-sm text-muted">{children}</p>
    </>
  );
}
