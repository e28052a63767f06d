/** Which of the three worlds is shown: opening, welcome, or the conversations. */
import { QueryClientProvider } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { useLocation } from 'wouter';
import { selectSession } from '#client/select';
import { SERVER_KNOWS } from './about/address.ts';
import { useChat } from './chat.ts';
import { Splash } from './session/splash.tsx';
import { Welcome } from './session/welcome.tsx';
import { Shell } from './shell.tsx';
import { queryClient, trpc, trpcClient } from './trpc.ts';
import { Toasts } from './ui/toast.tsx';
import { TooltipProvider } from './ui/tooltip.tsx';
import { useUi } from './ui-state.ts';

const ServerKnows = lazy(() => import('./about/server-knows.tsx'));

export function App() {
  return (
    <trpc.Provider client={trpcClient} queryClient={queryClient}>
      <QueryClientProvider client={queryClient}>
        <TooltipProvider delay={500}>
          <div className="isolate-root h-full">
            <World />
          </div>
          <Toasts />
        </TooltipProvider>
      </QueryClientProvider>
    </trpc.Provider>
  );
}

function World() {
  const session = useChat(selectSession);
  const [path] = useLocation();
  const registering = useUi((state) => state.registering || state.recoveryKey !== null);
  if (session.status === 'restoring') return <Splash />;
  // For whoever wants to know before making an account, too.
  if (session.status === 'signed-out' && path === SERVER_KNOWS)
    return (
      <Suspense fallback={<Splash />}>
        <ServerKnows />
      </Suspense>
    );
  if (session.status === 'signed-out') return <Welcome reason={session.reason} />;
  return registering ? <Welcome reason="none" /> : <Shell />;
}
