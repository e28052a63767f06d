/** Sizes of files in words: "84 KB", "1.2 MB", and "12 of 100 MB" for what is on its way. */
const UNITS = ['bytes', 'KB', 'MB', 'GB'] as const;

const unitOf = (bytes: number): number => {
  // What would be rounded up to 1000 of a unit is 1 of the next.
  let unit = 0;
  while (unit < UNITS.length - 1 && bytes / 1000 ** unit >= 999.5) unit++;
  return unit;
};

const inUnit = (bytes: number, unit: number): string => {
  const count = bytes / 1000 ** unit;
  return unit > 0 && count < 9.95 ? String(Math.round(count * 10) / 10) : String(Math.round(count));
};

export function sizeWords(bytes: number): string {
  if (bytes === 1) return '1 byte';
  const unit = unitOf(bytes);
  return `${inUnit(bytes, unit)} ${UNITS[unit]}`;
}

/** Both in the unit of the whole, so that the first number only ever grows. */
export function progressWords(done: number, total: number): string {
  const unit = unitOf(total);
  return `${inUnit(done, unit)} of ${inUnit(total, unit)} ${UNITS[unit]}`;
}
