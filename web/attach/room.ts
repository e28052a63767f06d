/** What the server takes, asked before anything is chosen in vain. The server decides in the end; this is for clear words in time. */
import { sealedFileLength } from '#client/index';
import { chat } from '../chat.ts';
import { sizeWords } from '../files/sizes.ts';

type Limits = Awaited<ReturnType<typeof chat.api.files.limits.query>>;

let asked: Promise<Limits | null> | null = null;

/** Null when there is no answer, as without a network: then nothing is refused here. */
export function limits(): Promise<Limits | null> {
  asked ??= chat.api.files.limits.query(undefined, { signal: AbortSignal.timeout(5_000) }).catch(() => {
    asked = null;
    return null;
  });
  return asked;
}

/** Something was sent, or somebody else is here. */
export const forgetLimits = () => void (asked = null);

interface Sized {
  name: string;
  size: number;
}

export const isTooLarge = ({ size }: Sized, known: Limits | null): boolean =>
  known !== null && sealedFileLength(size) > known.maxBytes;

export const tooLargeWords = ({ name, size }: Sized, known: Limits | null): string =>
  `“${name}” has ${sizeWords(size)}. This server takes files of up to ${sizeWords(known?.maxBytes ?? 0)}.`;

/** What is wrong with all of them together. */
export function quotaWords(files: readonly Sized[], known: Limits | null): string | null {
  if (!known) return null;
  const wanted = files.reduce((sum, { size }) => sum + sealedFileLength(size), 0);
  const left = Math.max(0, known.quotaBytes - known.usedBytes);
  if (wanted <= left) return null;
  return `You have room for ${sizeWords(left)} on this server, and this would take ${sizeWords(wanted)}.`;
}
