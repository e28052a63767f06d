/** The moment between opening the page and knowing who is there. */
import { Logo } from '../ui/logo.tsx';

export function Splash() {
  return (
    <main className="grid h-full place-items-center">
      <div role="status" className="grid justify-items-center gap-4 text-muted">
        <Logo size={56} className="animate-breathe" />
        <p className="text-sm">Opening your conversations…</p>
      </div>
    </main>
  );
}
