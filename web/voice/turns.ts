/** One sound at a time: who begins silences the one before. */
let current: HTMLMediaElement | null = null;

export function takeTurn(element: HTMLMediaElement): void {
  if (current !== element) current?.pause();
  current = element;
}
