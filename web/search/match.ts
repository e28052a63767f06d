/** Fuzzy matching for the quick switcher: letters in order, the closer together and the nearer to a word's beginning the better. Pure. */

const plain = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').toLocaleLowerCase();

/** 0 when it does not match; greater is better. */
export function score(name: string, query: string): number {
  const text = plain(name);
  const wanted = plain(query.trim());
  if (wanted === '') return 1;
  if (text.startsWith(wanted)) return 100;
  if (text.split(/[^\p{L}\p{N}]+/u).some((word) => word.startsWith(wanted))) return 80;
  if (text.includes(wanted)) return 60;
  let at = -1;
  let gaps = 0;
  for (const letter of wanted) {
    const next = text.indexOf(letter, at + 1);
    if (next < 0) return 0;
    if (at >= 0) gaps += next - at - 1;
    at = next;
  }
  return Math.max(1, 40 - gaps);
}
