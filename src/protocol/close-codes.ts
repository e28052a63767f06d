/** WebSocket close codes, used by both sides (RFC 6455 section 7.4: 4000-4999 are ours). */
export const CLOSE = {
  frameTooLarge: 1009,
  /** The server restarts or drains: connect again, another node may answer. */
  restart: 1012,
  /** The token is invalid, expired or its session was revoked; an error frame comes first. */
  unauthorized: 4401,
  /** No connectionParams within the deadline. */
  authTimeout: 4408,
  /** Too slow a reader, or too much traffic: back off, then resume from the cursor. */
  overLimit: 4429,
} as const;
