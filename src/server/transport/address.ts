/** The address a request came from, as far as it can be believed: limits are counted by it. */

/**
 * @param forwarded the X-Forwarded-For header
 * @param proxies how many proxies in front of us are ours; each appends what it saw, so we count from the right
 */
export function clientAddress(remote: string | undefined, forwarded: string | null, proxies: number): string {
  const seen = forwarded?.split(',').map((part) => part.trim()) ?? [];
  const believed = proxies > 0 ? seen.at(-proxies) : undefined;
  const address = (believed || remote) ?? 'unknown';
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}
