/** Which of the three worlds is shown: opening, welcome, or the conversations. */
import { QueryClientProvider } from '@tanstack/react-query';
import { selectSession } from '#client/select';
import { useChat } from './chat.ts';
import { Splash } from './session/splash.tsx';
import { Welcome } from './session/welcome.tsx';
import { Shell } from './shell.tsx';
import { queryClient, trpc, trpcClient } from './trpc.ts';
import { Toasts } from './ui/toast.tsx';
import { TooltipProvider } from './ui/tooltip.tsx';
import { useUi } from './ui-state.ts';

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
  const registering = useUi((state) => state.registering || state.recoveryKey !== null);
  if (session.status === 'restoring') return <Splash />;
  if (session.status === 'signed-out') return <Welcome reason={session.reason} />;
  return registering ? <Welcome reason="none" /> : <Shell />;
}
