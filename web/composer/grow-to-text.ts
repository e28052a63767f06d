/** Makes a text box as high as its text, up to the limit that its CSS sets. */
export function growToText(box: HTMLTextAreaElement | null, text: string): void {
  if (!box) return;
  box.style.height = 'auto';
  // An empty box has the height of its row, whatever its placeholder would need.
  if (text !== '') box.style.height = `${box.scrollHeight}px`;
}
