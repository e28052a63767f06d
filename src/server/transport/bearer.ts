/** The access token of a request. It is the only thing that signs a call in: cookies carry no more than the refresh token. */

export function bearerOf(authorization: string | null | undefined): string | null {
  const [scheme, token] = authorization?.split(' ') ?? [];
  return scheme?.toLowerCase() === 'bearer' && token ? token : null;
}
