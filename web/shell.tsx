/** The signed-in page: list and conversation side by side, or one after the other on a phone. */
import { lazy, Suspense } from 'react';
import { Route, Switch, useLocation } from 'wouter';
import { SERVER_KNOWS } from './about/address.ts';
import { useChat } from './chat.ts';
import { ConnectionBanner } from './connection-banner.tsx';
import { Quiet } from './conversation-list/quiet.tsx';
import { Sidebar } from './conversation-list/sidebar.tsx';
import { Announcer } from './live/announcer.tsx';
import { useTitleBadge } from './live/title-badge.ts';
import { useNotifying } from './notifications/use-notifying.ts';
import { useOwnPresence } from './presence/use-own-presence.ts';
import { Alarms } from './trust/alarms.tsx';
import { cn } from './ui/cn.ts';
import { Logo } from './ui/logo.tsx';
import { Spinner } from './ui/spinner.tsx';
import { useUi } from './ui-state.ts';
import { useShortcuts } from './use-shortcuts.ts';

const ChatWindow = lazy(() => import('./chat-window/chat-window.tsx'));
const ServerKnows = lazy(() => import('./about/server-knows.tsx'));
const Settings = lazy(() => import('./settings/settings.tsx'));
const NewConversation = lazy(() => import('./search/new-conversation.tsx'));
const Lightbox = lazy(() => import('./files/lightbox.tsx'));
const VerifyDialog = lazy(() => import('./trust/verify-dialog.tsx'));
const QuickSwitcher = lazy(() => import('./search/quick-switcher.tsx'));

export function Shell() {
  const [path] = useLocation();
  const atHome = path === '/';
  useShortcuts();
  useTitleBadge();
  useOwnPresence();
  useNotifying();
  const newConversation = useUi((state) => state.newConversation);
  const switcher = useUi((state) => state.switcher);
  const verifying = useUi((state) => state.verifying !== null);
  const lightbox = useUi((state) => state.lightbox !== null);
  return (
    <div className="flex h-dvh flex-col safe-x">
      <Alarms />
      <ConnectionBanner />
      <div className="grid min-h-0 flex-1 grid-cols-[minmax(0,1fr)] md:grid-cols-[20rem_minmax(0,1fr)] lg:grid-cols-[22rem_minmax(0,1fr)]">
        <div className={cn('min-h-0 border-line md:block md:border-r', !atHome && 'hidden')}>
          <Sidebar />
        </div>
        <main className={cn('min-h-0 min-w-0 bg-surface md:block', atHome && 'hidden')}>
          <Suspense fallback={<Waiting />}>
            <Switch>
              <Route path="/c/:id">{({ id }) => <ChatWindow key={id} conversationId={id} />}</Route>
              <Route path="/settings">
                <Settings />
              </Route>
              <Route path={SERVER_KNOWS}>
                <ServerKnows />
              </Route>
              <Route>
                <Nothing />
              </Route>
            </Switch>
          </Suspense>
        </main>
      </div>
      <Suspense>
        {newConversation && <NewConversation />}
        {switcher && <QuickSwitcher />}
        {verifying && <VerifyDialog />}
        {lightbox && <Lightbox />}
      </Suspense>
      <Announcer />
    </div>
  );
}

function Waiting() {
  return (
    <div className="grid h-full place-items-center">
      <Spinner />
    </div>
  );
}

function Nothing() {
  const empty = useChat((state) => state.ready && state.conversationIds.length === 0);
  if (empty) {
    return (
      <div className="grid h-full place-content-center p-8">
        <Quiet />
      </div>
    );
  }
  return (
    <div className="grid h-full place-content-center justify-items-center p-8 text-center">
      <Logo size={72} />
      <h2 className="mt-6 text-xl font-semibold tracking-tight">Pick up where you left off</h2>
      <p className="mt-1 max-w-xs text-muted">
        Choose a conversation on the left, or press{' '}
        <kbd className="rounded-sm border border-line bg-raised px-1.5 py-0.5 font-sans text-xs font-semibold">
          Ctrl K
        </kbd>{' '}
        to go anywhere.
      </p>
    </div>
  );
}
