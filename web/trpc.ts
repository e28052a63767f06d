/** Hooks for the request/response screens: search, devices, receipts of one message. Conversations live in the store instead. */
import { QueryClient } from '@tanstack/react-query';
import { createTRPCReact } from '@trpc/react-query';
import type { AppRouter } from '#client/types';
import { chat } from './chat.ts';

export const trpc = createTRPCReact<AppRouter>();
export const trpcClient = trpc.createClient({ links: chat.links() });
export const queryClient = new QueryClient({
  defaultOptions: { queries: { retry: 1, staleTime: 15_000, refetchOnWindowFocus: false } },
});
