/** A client that knows only the contract: plain tRPC over HTTP and WebSocket, no SDK. */
import {
  createTRPCClient,
  createWSClient,
  httpBatchLink,
  httpLink,
  splitLink,
  TRPCClientError,
  type TRPCClient,
  wsLink,
} from '@trpc/client';
import WebSocket from 'ws';
import type { AppRouter } from '#server/router';

export interface Program extends AsyncDisposable {
  /** Queries and mutations over HTTP, subscriptions over one WebSocket. */
  readonly api: TRPCClient<AppRouter>;
  /** Everything over the WebSocket. */
  readonly ws: TRPCClient<AppRouter>;
  token: string | null;
}

export interface ProgramOptions {
  readonly token?: string | null;
  /** One request per call, so that each has a status of its own. */
  readonly batch?: boolean;
  readonly headers?: Record<string, string>;
}

export function newProgram(server: { url: string; wsUrl: string }, options: ProgramOptions = {}): Program {
  const program = { token: options.token ?? null };
  const headers = () => ({
    ...options.headers,
    ...(program.token === null ? {} : { authorization: `Bearer ${program.token}` }),
  });
  const socket = createWSClient({
    url: server.wsUrl,
    WebSocket: WebSocket as unknown as typeof globalThis.WebSocket,
    connectionParams: () => (program.token === null ? {} : { token: program.token }),
    lazy: { enabled: true, closeMs: 0 },
  });
  const http = (options.batch ? httpBatchLink : httpLink)({ url: `${server.url}/trpc`, headers });
  const overSocket = wsLink<AppRouter>({ client: socket });
  return Object.assign(program, {
    api: createTRPCClient<AppRouter>({
      links: [splitLink({ condition: (op) => op.type === 'subscription', true: overSocket, false: http })],
    }),
    ws: createTRPCClient<AppRouter>({ links: [overSocket] }),
    async [Symbol.asyncDispose]() {
      await socket.close();
    },
  });
}

/** What a refused call says on the wire. @throws when it was not refused, or not by the server. */
export async function refusal(call: Promise<unknown>) {
  const outcome = await call.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('value' in outcome) throw new Error(`the call was accepted: ${JSON.stringify(outcome.value)?.slice(0, 300)}`);
  if (!(outcome.error instanceof TRPCClientError) || !outcome.error.data) throw outcome.error;
  const { data, message } = outcome.error as TRPCClientError<AppRouter>;
  return { message, ...data } as { message: string } & NonNullable<typeof data>;
}
