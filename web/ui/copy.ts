/** Puts text into the clipboard, and says so. */
import { tell } from './toast.tsx';

export function copyText(text: string): void {
  navigator.clipboard.writeText(text).then(
    () => tell('Copied'),
    () => tell('Copying is blocked here.'),
  );
}
