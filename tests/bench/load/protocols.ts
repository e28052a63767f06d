/** What each target wants to hear from a client, as far as the load generator speaks it. */

/** Who connects: a person's token where the target wants one, and the room of ten. */
export interface Credential {
  readonly token: string;
  readonly room: number;
  /** The id of the last event that was seen. Ready is who has got everything since. */
  readonly resumeAt?: string;
}

export type ProtocolName = 'parley' | 'trpc' | 'socket.io' | 'ws';

export const READY = Symbol('ready');

export interface Protocol {
  path(who: Credential): string;
  /** Said at once after the upgrade. */
  greet(who: Credential): string[];
  /** @returns what to answer, or READY when from here on everything arrives. */
  hear(text: string): string | typeof READY | null;
  /** Whether these bytes begin a message that was sent to the room. */
  isDelivery(bytes: Buffer, at: number, length: number): boolean;
  /** Makes the server send one message to `room`, or to everybody. Parley is given real ones instead. */
  trigger(room: number | 'all'): string;
}

/** Request ids, of one digit. */
const FEED = 1;
const SIGNALS = { typing: 2, presence: 3, receipts: 4 } as const;
const call = (id: number, method: string, path: string, input: unknown) =>
  JSON.stringify({ id, jsonrpc: '2.0', method, params: { path, input } });

/** {"id":n, and longer than what answers are: news of that subscription. */
const isNewsOf =
  (id: number, longerThan: number) =>
  (bytes: Buffer, at: number, length: number): boolean =>
    length > longerThan && bytes[at + 6] === 0x30 + id && bytes[at + 7] === 0x2c;
const isFeedEvent = isNewsOf(FEED, 500);

const keepAlive = (text: string) => (text === 'PING' ? 'PONG' : null);

function parley({ signals = false, peers = [], counted }: Speaking): Protocol {
  return {
    path: () => '/trpc?connectionParams=1',
    greet: ({ token, resumeAt }) => [
      JSON.stringify({ method: 'connectionParams', data: { token } }),
      ...(signals
        ? [
            call(SIGNALS.typing, 'subscription', 'typing.onChange', {}),
            call(SIGNALS.presence, 'subscription', 'presence.onChange', { userIds: peers }),
            call(SIGNALS.receipts, 'subscription', 'receipts.onChange', { together: true }),
          ]
        : []),
      call(FEED, 'subscription', 'feed.follow', { lastEventId: resumeAt }),
    ],
    hear: (text) => (text.startsWith('{"id":1,') && text.includes('"type":"live"') ? READY : keepAlive(text)),
    isDelivery: counted ? isNewsOf(SIGNALS[counted], 80) : isFeedEvent,
    trigger: () => {
      throw new TypeError('Parley is sent real messages');
    },
  };
}

/** @param four whether to subscribe four times, as a client does that has a subscription for each kind of news. */
const trpc = (four: boolean): Protocol => ({
  path: () => '/',
  greet: ({ room }) =>
    (four ? [...Object.values(SIGNALS), FEED] : [FEED]).map((id) => call(id, 'subscription', 'follow', { room })),
  hear: (text) => (text.startsWith('{"id":1,') && text.includes('"type":"started"') ? READY : keepAlive(text)),
  isDelivery: isFeedEvent,
  trigger: (room) => call(5, 'mutation', 'send', { room }),
});

const socketIo: Protocol = {
  path: ({ room }) => `/socket.io/?EIO=4&transport=websocket&room=${room}`,
  greet: () => [],
  hear: (text) => {
    if (text.startsWith('0')) return '40';
    if (text.startsWith('40')) return READY;
    return text === '2' ? '3' : null;
  },
  isDelivery: (bytes, at, length) => length > 500 && bytes[at] === 0x34 && bytes[at + 1] === 0x32,
  trigger: (room) => `42${JSON.stringify(['send', room])}`,
};

const ws: Protocol = {
  path: ({ room }) => `/?room=${room}`,
  greet: () => [],
  hear: (text) => (text === 'welcome' ? READY : null),
  isDelivery: (_bytes, _at, length) => length > 80,
  trigger: (room) => String(room),
};

export interface Speaking {
  readonly protocol: ProtocolName;
  /** Four subscriptions instead of one: typing, presence and receipts too, as a page of a chat has. */
  readonly signals?: boolean;
  /** What is a delivery, instead of a message. */
  readonly counted?: 'typing' | 'presence';
  /** Whose presence a connection with signals looks at. */
  readonly peers?: readonly string[];
}

export function protocolOf(speaking: Speaking): Protocol {
  const { protocol, signals = false } = speaking;
  if (protocol === 'parley') return parley(speaking);
  if (protocol === 'trpc') return trpc(signals);
  return protocol === 'ws' ? ws : socketIo;
}
