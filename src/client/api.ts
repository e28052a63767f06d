/** Owns the roads to the server: what is frequent or lasting over the socket, the rest over HTTP. */
import {
  createTRPCClient,
  httpBatchLink,
  httpLink,
  splitLink,
  type TRPCClient,
  type TRPCLink,
  wsLink,
} from '@trpc/client';
import { observable } from '@trpc/server/observable';
import type { AppRouter } from '#server/router';
import type { Connection } from './connection.ts';
import { directLink } from './direct-link.ts';
import { SdkError } from './errors.ts';

export type Api = TRPCClient<AppRouter>;

/** Sent many times a minute by everybody: no request of its own each. */
const OVER_SOCKET = new Set([
  'messages.send',
  'messages.edit',
  'messages.delete',
  'messages.react',
  'messages.unreact',
  'receipts.advance',
  'typing.set',
  'presence.set',
  'auth.extend',
]);
/** They carry an epoch, up to megabytes: never together with others in one request. */
const ALONE = new Set([
  'conversations.createDirect',
  'conversations.createGroup',
  'conversations.addParticipant',
  'conversations.removeParticipant',
  'conversations.setRole',
  'keys.rotate',
  'keys.rotateIdentity',
]);
const MAX_BATCH = 20;
const MAX_URL = 8_000;

/** No call is waited for longer; those that carry megabytes get more. */
const CALL_MS = 20_000;
const LARGE_CALL_MS = 90_000;

/** A connection that swallows everything must not hold up what waits for its answer. */
const within =
  (ms: number): NonNullable<Parameters<typeof httpLink>[0]['fetch']> =>
  (input, init) => {
    const signals = [AbortSignal.timeout(ms), ...(init?.signal ? [init.signal] : [])];
    return fetch(input as RequestInfo, { ...init, signal: AbortSignal.any(signals) } as RequestInit);
  };

export interface Roads {
  url: string;
  connection: Connection;
  /** A token that is valid now. */
  token(): Promise<string>;
}

export function createLinks({ url, connection, token }: Roads): TRPCLink<AppRouter>[] {
  const endpoint = `${url}/trpc`;
  const headers = async () => ({ authorization: `Bearer ${await token()}` });
  return [
    splitLink({
      condition: (op) => op.type === 'subscription' || OVER_SOCKET.has(op.path),
      true: [directLink(connection), socketLink(connection)],
      false: splitLink({
        condition: (op) => ALONE.has(op.path),
        true: httpLink({ url: endpoint, headers, fetch: within(LARGE_CALL_MS) }),
        false: httpBatchLink({
          url: endpoint,
          headers,
          fetch: within(CALL_MS),
          maxItems: MAX_BATCH,
          maxURLLength: MAX_URL,
        }),
      }),
    }),
  ];
}

export const createApi = (roads: Roads): Api => createTRPCClient<AppRouter>({ links: createLinks(roads) });

/** For signing in and renewing: with the token there is, or none, and never waiting for a new one. */
export function createAuthApi(url: string, token: () => string | null): Api {
  const headers = () => {
    const current = token();
    return current === null ? {} : { authorization: `Bearer ${current}` };
  };
  return createTRPCClient<AppRouter>({ links: [httpLink({ url: `${url}/trpc`, headers, fetch: within(CALL_MS) })] });
}

/** The socket of the moment: links outlive sessions, sockets do not. */
function socketLink(connection: Connection): TRPCLink<AppRouter> {
  return (runtime) => (call) => {
    const { client } = connection;
    if (client) return wsLink<AppRouter>({ client })(runtime)(call);
    return observable((observer) => {
      observer.error(new SdkError('CLOSED', 'not_signed_in') as never);
    });
  };
}
