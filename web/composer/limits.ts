/** How long a message may be: in bytes of UTF-8, because an envelope holds 30,000 of them with padding, header and signature. */
const MAX_BYTES = 20_000;
/** From here on the writer is told what is left. */
const WARN_BELOW = 1_000;

const encoder = new TextEncoder();

export interface Room {
  left: number;
  tight: boolean;
  over: boolean;
}

export function roomFor(text: string): Room {
  // No text of this many characters is near the limit: 3 bytes is the most that one UTF-16 unit takes.
  if (text.length * 3 < MAX_BYTES - WARN_BELOW) return { left: MAX_BYTES, tight: false, over: false };
  const left = MAX_BYTES - encoder.encode(text).length;
  return { left, tight: left < WARN_BELOW, over: left < 0 };
}
