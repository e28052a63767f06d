/**
 * Where the server may be sent to by a browser's push subscription. An endpoint is any URL that a client names, so
 * without this the server would knock at doors inside its own network for whoever asks.
 */
import { lookup as lookupAll } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { ParleyError } from '#protocol/errors';

type Networks = readonly (readonly [network: string, bits: number])[];
function listOf(family: 'ipv4' | 'ipv6', networks: Networks): (address: string) => boolean {
  const list = new BlockList();
  for (const [network, bits] of networks) list.addSubnet(network, bits, family);
  return (address) => list.check(address, family);
}

/** Of IPv4 everything is public that has no special purpose (RFC 6890 and its registry). */
const isSpecial4 = listOf('ipv4', [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
]);
/** Of IPv6 what is given out to the world, which leaves out all that carries an address of IPv4 ... */
const isGlobal6 = listOf('ipv6', [['2000::', 3]]);
/** ... but for these: protocols (Teredo), documentation, 6to4. */
const isSpecial6 = listOf('ipv6', [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]);
const isPublic = (address: string) =>
  isIP(address) === 6 ? isGlobal6(address) && !isSpecial6(address) : !isSpecial4(address);

const isLoopback4 = listOf('ipv4', [['127.0.0.0', 8]]);
const isLoopback = (address: string) => (isIP(address) === 6 ? address === '::1' : isLoopback4(address));

/** For the lookup at subscribing: somebody waits for it. */
const LOOKUP_MS = 3_000;

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
  const host = hostOf(url);
  const isHere = local && (host === 'localhost' || (isIP(host) !== 0 && isLoopback(host)));
  const refused =
    url.username !== '' ||
    url.password !== '' ||
    (!isHere && (url.protocol !== 'https:' || (isIP(host) !== 0 && !isPublic(host))));
  if (refused) throw new EndpointRefused();
  return url;
}

/** Without the brackets of IPv6. */
const hostOf = ({ hostname }: URL) => hostname.replace(/^\[|\]$/g, '');

/**
 * The lookup of the connection itself, so that the address which is checked is the address which is used: a name may
 * resolve to something else a moment later.
 */
export const checkedLookup =
  (local: boolean): LookupFunction =>
  (hostname, options, done) => {
    lookupAll(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return done(error, '');
      const [first] = addresses;
      if (first === undefined || !addresses.every(({ address }) => isPublic(address) || (local && isLoopback(address))))
        return done(new EndpointRefused(), '');
      if (options.all) done(null, addresses);
      else done(null, first.address, first.family);
    });
  };

/** Asked when somebody subscribes. @throws ParleyError BAD_REQUEST push_endpoint_refused */
export async function requirePublicEndpoint(endpoint: string, local: boolean): Promise<void> {
  try {
    const host = hostOf(checkEndpointUrl(endpoint, local));
    if (isIP(host) !== 0) return;
    await new Promise<void>((pass, refuse) => {
      const late = setTimeout(() => refuse(new EndpointRefused()), LOOKUP_MS);
      checkedLookup(local)(host, {}, (error) => {
        clearTimeout(late);
        if (error) refuse(new EndpointRefused());
        else pass();
      });
    });
  } catch (cause) {
    throw new ParleyError('BAD_REQUEST', 'push_endpoint_refused', { cause });
  }
}
