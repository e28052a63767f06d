/** Emoji for the picker, from this site's own files: nothing is fetched from elsewhere, so nobody learns that somebody looked. */
import type { EmojiData } from 'frimousse';

/** The group of skin tones and hair, which are parts and no emoji. */
const COMPONENTS = 2;
const TONES = ['light', 'medium-light', 'medium', 'medium-dark', 'dark'] as const;

const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

export async function loadEmoji(): Promise<EmojiData> {
  const [{ default: list }, { default: messages }] = await Promise.all([
    import('emojibase-data/en/compact.json'),
    import('emojibase-data/en/messages.json'),
  ]);
  const emojis = list.flatMap((entry) => {
    if (entry.group === undefined || entry.group === COMPONENTS) return [];
    const skins = entry.skins?.length === TONES.length ? entry.skins : undefined;
    return {
      emoji: entry.unicode,
      category: entry.group,
      label: sentence(entry.label),
      version: 0,
      tags: entry.tags ?? [],
      ...(skins ? { skins: tones((index) => skins[index]?.unicode ?? entry.unicode) } : {}),
    };
  });
  const categories = messages.groups
    .filter(({ order }) => order !== COMPONENTS)
    .map(({ order, message }) => ({ index: order, label: sentence(message) }));
  return { locale: 'en', emojis, categories, skinTones: tones((index) => sentence(TONES[index] ?? '')) };
}

const tones = (name: (index: number) => string) =>
  Object.fromEntries(TONES.map((tone, index) => [tone, name(index)])) as Record<(typeof TONES)[number], string>;
