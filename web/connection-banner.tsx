/** Says that the connection is gone, when it is tried again, and afterwards what had been missed. Short gaps pass unmentioned. */
import { CircleCheck, WifiOff } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import { selectCaughtUp, selectConnection } from '#client/select';
import type { ConnectionState } from '#client/types';
import { chat, useChat } from './chat.ts';
import { cn } from './ui/cn.ts';

/** Above one second nothing is said of a gap, within three it is (ux 17, 18). */
const QUIET_MS = 1_500;
/** Whoever was away for less knows what he missed. */
const WORTH_TELLING_MS = 5_000;
const TOLD_FOR_MS = 5_000;

export function ConnectionBanner() {
  const connection = useChat(selectConnection);
  const lost = connection.status !== 'online';
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (!lost) return setShown(false);
    const timer = setTimeout(() => setShown(true), QUIET_MS);
    return () => clearTimeout(timer);
  }, [lost]);
  return <div role="status">{shown && lost ? <Lost connection={connection} /> : <CaughtUp />}</div>;
}

function Lost({ connection }: { connection: ConnectionState }) {
  const offline = connection.status === 'offline';
  return (
    <Strip className="bg-fresh-soft text-fresh">
      <WifiOff size={16} aria-hidden className="shrink-0" />
      <span className="min-w-0">
        <span className="font-semibold">{offline ? 'This device is offline.' : 'No connection.'}</span>{' '}
        <span className="max-md:sr-only">What you write is kept and sent later. </span>
        <Countdown connection={connection} />
      </span>
      <button
        type="button"
        onClick={() => chat.reconnect()}
        className="-my-1 shrink-0 rounded-sm px-2 py-1 font-semibold underline underline-offset-3 hover:no-underline coarse:py-3"
      >
        Try now
      </button>
    </Strip>
  );
}

function Countdown({ connection }: { connection: ConnectionState }) {
  const retryAt = connection.status === 'waiting' ? connection.retryAt : null;
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (retryAt === null) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [retryAt]);
  if (connection.status === 'offline') return null;
  const seconds = retryAt === null ? 0 : Math.ceil((retryAt - now) / 1000);
  // The seconds are for the eye; a screen reader would be talked over by them.
  return (
    <span aria-hidden className="tabular-nums">
      {seconds > 0 ? `Reconnecting in ${seconds} s.` : 'Reconnecting…'}
    </span>
  );
}

function CaughtUp() {
  const caughtUp = useChat(selectCaughtUp);
  const [told, setTold] = useState(caughtUp);
  useEffect(() => {
    if (!caughtUp) return;
    const timer = setTimeout(() => setTold(caughtUp), TOLD_FOR_MS);
    return () => clearTimeout(timer);
  }, [caughtUp]);
  if (!caughtUp || caughtUp === told || caughtUp.messages === 0 || caughtUp.awayMs < WORTH_TELLING_MS) return null;
  const { messages } = caughtUp;
  return (
    <Strip className="bg-accent-soft text-accent">
      <CircleCheck size={16} aria-hidden className="shrink-0" />
      <span>
        {messages === 1
          ? 'Back online. One message came meanwhile.'
          : `Caught up ${messages.toLocaleString()} messages.`}
      </span>
    </Strip>
  );
}

function Strip({ className, children }: { className: string; children: ReactNode }) {
  return (
    <p
      className={cn(
        'flex min-h-9 animate-late items-center justify-center gap-x-2 px-4 py-2 text-sm font-medium',
        className,
      )}
    >
      {children}
    </p>
  );
}
