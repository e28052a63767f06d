/** Narrows away `undefined` and `null` where the reader of the code can be told why it cannot happen. */
export function must<T>(value: T | undefined | null, why: string): T {
  if (value === undefined || value === null) throw new TypeError(`must: ${why}`);
  return value;
}
