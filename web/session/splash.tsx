/** The moment between opening the page and knowing who is there. */
import { ConnectionBanner } from '../connection-banner.tsx';
import { Logo } from '../ui/logo.tsx';

export function Splash() {
  return (
    <div className="flex h-full flex-col">
      <ConnectionBanner />
      <main className="grid min-h-0 flex-1 place-items-center">
        <div role="status" className="grid justify-items-center gap-4 text-muted">
          <Logo size={56} className="animate-breathe" />
          <p className="text-sm">Opening your conversations…</p>
        </div>
      </main>
    </div>
  );
}
