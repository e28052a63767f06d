/** All procedures, by noun. The public contract is this list. */
import { authRouter } from './routers/auth.ts';
import { conversationsRouter } from './routers/conversations.ts';
import { filesRouter } from './routers/files.ts';
import { keysRouter } from './routers/keys.ts';
import { messagesRouter } from './routers/messages.ts';
import { presenceRouter } from './routers/presence.ts';
import { pushRouter } from './routers/push.ts';
import { receiptsRouter } from './routers/receipts.ts';
import { feedRouter, syncRouter } from './routers/sync.ts';
import { typingRouter } from './routers/typing.ts';
import { usersRouter } from './routers/users.ts';
import { router } from './trpc.ts';

export const appRouter = router({
  auth: authRouter,
  conversations: conversationsRouter,
  feed: feedRouter,
  files: filesRouter,
  keys: keysRouter,
  messages: messagesRouter,
  presence: presenceRouter,
  push: pushRouter,
  receipts: receiptsRouter,
  sync: syncRouter,
  typing: typingRouter,
  users: usersRouter,
});

export type AppRouter = typeof appRouter;
