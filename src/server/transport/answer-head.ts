/**
 * How the answers to a subscription begin on its socket: `{"id":7`. Noted on the request's input under a symbol, which no
 * JSON can carry, so that the feed can write its frames itself and tRPC's client finds them where it expects them.
 */
import { type Encoder, jsonEncoder } from '@trpc/server/adapters/ws';

const HEAD = Symbol('answers begin with');
/** tRPC's clients count their requests. A longer id of somebody else's is answered by the adapter alone. */
const ID_CHARACTERS = 16;

type Input = Record<PropertyKey, unknown>;
const isObject = (value: unknown): value is Input =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function note(call: unknown): void {
  if (!isObject(call) || call.method !== 'subscription' || !isObject(call.params)) return;
  const { id, jsonrpc, params } = call;
  const isShort = typeof id === 'number' || (typeof id === 'string' && id.length <= ID_CHARACTERS);
  if (!isShort || (jsonrpc !== undefined && jsonrpc !== '2.0')) return;
  params.input ??= {};
  if (isObject(params.input)) params.input[HEAD] = JSON.stringify({ id, jsonrpc }).slice(0, -1);
}

export const encoder: Encoder = {
  encode: jsonEncoder.encode,
  decode(data) {
    const decoded: unknown = jsonEncoder.decode(data);
    if (Array.isArray(decoded)) decoded.forEach(note);
    else note(decoded);
    return decoded;
  },
};

/** Null where there is none: over HTTP, and for requests that the adapter answers alone. */
export function answerHead(rawInput: unknown): string | null {
  const head = isObject(rawInput) ? rawInput[HEAD] : undefined;
  return typeof head === 'string' ? head : null;
}
