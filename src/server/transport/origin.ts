/** Which pages may talk to us: our own. Programs send no Origin and are told apart by their token alone. */

/** @param origin the header, or null. @param host the Host header, for those who reach us by another name than PUBLIC_URL. */
export function isOwnOrigin(origin: string | null, host: string | null, publicUrl: string): boolean {
  if (origin === null) return true;
  if (origin === publicUrl) return true;
  // "null" is what sandboxed frames and local files send.
  if (!URL.canParse(origin)) return false;
  return host !== null && new URL(origin).host === host;
}

/** Whether a browser tells us that this request was not made by our own page; then its cookies must not count. */
export function isCrossSite(headers: Headers, publicUrl: string): boolean {
  const site = headers.get('sec-fetch-site');
  if (site !== null) return site !== 'same-origin';
  return !isOwnOrigin(headers.get('origin'), headers.get('host'), publicUrl);
}
