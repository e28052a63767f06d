/** Times and files in plain words. */
import type { FileView } from '#client/types';

/** "0:07", "1:02:03". */
export function timeWords(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  const [h, m, s] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h > 0 ? `${h}:${pair(m)}:${pair(s)}` : `${m}:${pair(s)}`;
}
const pair = (value: number) => String(value).padStart(2, '0');

/** What a message with files says in one line: its caption, or what they are. */
export function filesLine(files: readonly FileView[], caption: string): string {
  const [first] = files;
  if (!first) return caption;
  const sign = { image: '📷', voice: '🎤', file: '📎' }[first.kind];
  return `${sign} ${caption || nameOf(files, first)}`;
}

function nameOf(files: readonly FileView[], first: FileView): string {
  const many = files.length > 1;
  if (files.some(({ kind }) => kind !== first.kind)) return `${files.length} files`;
  switch (first.kind) {
    case 'image':
      return many ? `${files.length} pictures` : (first.alt ?? 'Picture');
    case 'voice':
      return first.durationMs === null ? 'Voice message' : `Voice message, ${timeWords(first.durationMs)}`;
    case 'file':
      return many ? `${files.length} files` : first.name;
  }
}

/** The beginning may be cut, the ending tells what it is: "A very long na…" + "me.pdf". */
export function splitName(name: string): [stem: string, ending: string] {
  const at = Math.max(0, name.length - 10);
  return [name.slice(0, at), name.slice(at)];
}
