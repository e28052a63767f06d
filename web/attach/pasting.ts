/** What of a clipboard is meant as files: office programs put a picture of the text beside the text, and then the text is meant. */
export function pastedFiles(clipboard: DataTransfer): File[] {
  if (clipboard.types.includes('text/plain') || clipboard.types.includes('text/rtf')) return [];
  return [...clipboard.files].map((file) => (file.name === 'image.png' ? renamed(file) : file));
}

/** Every pasted picture is called the same by browsers. */
function renamed(file: File): File {
  const at = new Date().toISOString().slice(0, 19).replace('T', ' ').replaceAll(':', '.');
  return new File([file], `Pasted ${at}.png`, { type: file.type });
}
