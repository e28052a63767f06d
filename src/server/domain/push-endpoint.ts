/**
 * Where the server may be sent to by a browser's push subscription. An endpoint is any URL that a client names, so
 * without this the server would knock at doors inside its own network for whoever asks.
 */
import { lookup as lookupAll } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { ParleyError } from '#protocol/errors';

const INSIDE = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const)
  INSIDE.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of [
  ['::', 127],
  // Addresses of IPv4 in other clothes: translated (RFC 6052, 8215) and 6to4.
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  INSIDE.addSubnet(network, bits, 'ipv6');

const isInside = (address: string) => INSIDE.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

const LOCAL_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);
/** A server on this very machine, for trying out and for tests: its push service may be here too, without TLS. */
export const acceptsLocalPush = (publicUrl: string): boolean => LOCAL_NAMES.has(new URL(publicUrl).hostname);

export class EndpointRefused extends Error {
  constructor() {
    super('the push endpoint is not a public https address');
    this.name = 'EndpointRefused';
  }
}

/** @throws EndpointRefused for what can be seen without asking the name service. */
export function checkEndpointUrl(endpoint: string, local: boolean): URL {
  const url = new URL(endpoint);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const refused =
    url.username !== '' ||
    url.password !== '' ||
    (!local && (url.protocol !== 'https:' || (isIP(host) !== 0 && isInside(host))));
  if (refused) throw new EndpointRefused();
  return url;
}

/**
 * The lookup of the connection itself, so that the address which is checked is the address which is used: a name may
 * resolve to something else a moment later.
 */
export const publicOnly: LookupFunction = (hostname, options, done) => {
  lookupAll(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return done(error, '');
    const [first] = addresses;
    if (first === undefined || addresses.some(({ address }) => isInside(address)))
      return done(new EndpointRefused(), '');
    if (options.all) done(null, addresses);
    else done(null, first.address, first.family);
  });
};

/** Asked when somebody subscribes. @throws ParleyError BAD_REQUEST push_endpoint_refused */
export async function requirePublicEndpoint(endpoint: string, local: boolean): Promise<void> {
  try {
    const { hostname } = checkEndpointUrl(endpoint, local);
    if (local || isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return;
    await new Promise<void>((pass, refuse) =>
      publicOnly(hostname, {}, (error) => (error ? refuse(new EndpointRefused()) : pass())),
    );
  } catch (cause) {
    throw new ParleyError('BAD_REQUEST', 'push_endpoint_refused', { cause });
  }
}
