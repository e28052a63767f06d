/** The reactions offered first: mine of late, then the ones everybody needs. In memory only, like everything decrypted. */
const USUAL = ['👍', '❤️', '😂', '😮', '😢', '🎉'];
let recent: string[] = [];

export const quickEmoji = (): string[] => [...new Set([...recent, ...USUAL])].slice(0, USUAL.length);

export const forgetEmoji = () => void (recent = []);

export function rememberEmoji(emoji: string): void {
  if (!USUAL.includes(emoji)) recent = [emoji, ...recent.filter((other) => other !== emoji)].slice(0, 2);
}
