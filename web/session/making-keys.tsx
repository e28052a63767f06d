/** Shown while the browser makes keys, so that the wait has a reason. */
import { useEffect, useState } from 'react';
import { Logo } from '../ui/logo.tsx';

const STEPS = [
  'Rolling some very good dice…',
  'Cutting your keys…',
  'Strengthening your password…',
  'Almost there. Good keys take a breath.',
];

export function MakingKeys() {
  const [step, setStep] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setStep((now) => Math.min(now + 1, STEPS.length - 1)), 1_100);
    return () => clearInterval(timer);
  }, []);
  return (
    <div role="status" className="absolute inset-0 grid place-content-center justify-items-center gap-5 text-center">
      <Logo size={72} className="animate-breathe" />
      <div>
        <p className="text-lg font-semibold">{STEPS[step]}</p>
        <p className="mt-1 text-sm text-muted">They are made on this device and never leave it unlocked.</p>
      </div>
    </div>
  );
}
