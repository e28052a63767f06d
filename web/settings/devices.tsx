/** The sessions of this account; one that is signed out loses its connection at once. */
import { Laptop, Smartphone } from 'lucide-react';
import { useState } from 'react';
import { agoWords, fullTime, useNow } from '../time.ts';
import { trpc } from '../trpc.ts';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { Spinner } from '../ui/spinner.tsx';
import { tell, tellProblem } from '../ui/toast.tsx';
import { plainWords } from '../words.ts';
import { leave } from './leave.ts';
import { deviceWords, isPhone } from './user-agent.ts';

export function Devices() {
  const now = useNow();
  const sessions = trpc.auth.sessions.useQuery(undefined, { staleTime: 0 });
  const utils = trpc.useUtils();
  const revoke = trpc.auth.revokeSession.useMutation({
    onSuccess() {
      tell('Signed out');
      return utils.auth.sessions.invalidate();
    },
    onError: tellProblem,
  });
  const everywhere = trpc.auth.logoutAll.useMutation({ onSuccess: leave, onError: tellProblem });
  const [asking, setAsking] = useState(false);

  if (sessions.error) return <p className="text-sm text-danger">{plainWords(sessions.error)}</p>;
  if (!sessions.data) return <Spinner label="Loading devices" className="w-full py-4" />;
  const list = [...sessions.data].sort((a, b) => Number(b.current) - Number(a.current));
  return (
    <>
      <ul className="grid gap-4">
        {list.map(({ id, current, userAgent, lastSeenAt, createdAt }) => {
          const Icon = isPhone(userAgent) ? Smartphone : Laptop;
          return (
            <li key={id} className="flex items-center gap-3">
              <span className="grid size-10 shrink-0 place-items-center rounded-md bg-sunken text-muted">
                <Icon size={19} aria-hidden />
              </span>
              <span className="stack min-w-0 flex-1 leading-tight">
                <span className="font-medium">{deviceWords(userAgent)}</span>
                <span className="text-sm text-muted" title={`Signed in ${fullTime(createdAt)}`}>
                  {current ? 'This device' : `Active ${agoWords(lastSeenAt, now)}`}
                </span>
              </span>
              {!current && (
                <Button disabled={revoke.isPending} onClick={() => revoke.mutate({ sessionId: id })}>
                  Sign out
                </Button>
              )}
            </li>
          );
        })}
      </ul>
      <div className="mt-4 border-t border-line pt-4">
        <Button shape="quiet" className="-ml-3 text-danger hover:text-danger" onClick={() => setAsking(true)}>
          Sign out everywhere
        </Button>
      </div>
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title="Sign out everywhere?"
        text="Every device, this one included, will need your password again."
        action="Sign out everywhere"
        onConfirm={() => everywhere.mutate()}
      />
    </>
  );
}
