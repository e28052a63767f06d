/** Which recordings have been listened to on this device. */
const PLACE = 'parley-heard';
const MOST = 500;

const heard = new Set<string>(read());

function read(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(PLACE) ?? '[]');
    return Array.isArray(kept) ? kept.filter((one) => typeof one === 'string') : [];
  } catch {
    return [];
  }
}

export const isHeard = (fileId: string): boolean => heard.has(fileId);

export function markHeard(fileId: string): void {
  if (heard.has(fileId)) return;
  heard.add(fileId);
  try {
    localStorage.setItem(PLACE, JSON.stringify([...heard].slice(-MOST)));
  } catch {
    // No storage: it is new again after a reload.
  }
}

export function forgetHeard(): void {
  heard.clear();
  localStorage.removeItem(PLACE);
}
