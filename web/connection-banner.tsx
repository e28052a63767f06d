/** Says that the connection is gone once that has lasted three seconds; short gaps pass unmentioned. */
import { WifiOff } from 'lucide-react';
import { useEffect, useState } from 'react';
import { selectConnection } from '#client/select';
import type { ConnectionState } from '#client/types';
import { useChat } from './chat.ts';

const QUIET_MS = 3_000;

export function ConnectionBanner() {
  const connection = useChat(selectConnection);
  const lost = connection.status !== 'online';
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (!lost) return setShown(false);
    const timer = setTimeout(() => setShown(true), QUIET_MS);
    return () => clearTimeout(timer);
  }, [lost]);
  return (
    <div role="status">
      {shown && lost && (
        <p className="flex items-center justify-center gap-2 bg-fresh-soft px-4 py-2 text-sm font-medium text-fresh">
          <WifiOff size={16} aria-hidden className="shrink-0" />
          <span>
            No connection. What you write is kept and sent later. <Countdown connection={connection} />
          </span>
        </p>
      )}
    </div>
  );
}

function Countdown({ connection }: { connection: ConnectionState }) {
  const retryAt = connection.status === 'waiting' ? connection.retryAt : null;
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (retryAt === null) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [retryAt]);
  if (connection.status === 'offline') return null;
  const seconds = retryAt === null ? 0 : Math.ceil((retryAt - now) / 1000);
  // The seconds are for the eye; a screen reader would be talked over by them.
  return <span aria-hidden>{seconds > 0 ? `Trying again in ${seconds} s.` : 'Trying again…'}</span>;
}
