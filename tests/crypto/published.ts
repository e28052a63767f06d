/** Vectors published by others, which are data of theirs and not part of this repository: read when they lie beside it. */
const files = import.meta.glob<string>('../../../shared/e2ee/vectors/*.json', { query: '?raw', import: 'default' });

/** Undefined when the file is absent; says so, with what is missing. */
export function published<T>(name: string): (() => Promise<T>) | undefined {
  const load = files[`../../../shared/e2ee/vectors/${name}.json`];
  if (load) return async () => JSON.parse(await load()) as T;
  console.log(`skipped: ${name}.json is not there; the own frozen vectors in tests/vectors are checked all the same`);
  return undefined;
}

export const hex = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

/** Of a file of Wycheproof: groups of tests, each with what its result has to be. */
export interface Wycheproof<Test, Group = unknown> {
  testGroups: (Group & { tests: (Test & { tcId: number; result: 'valid' | 'invalid' | 'acceptable' })[] })[];
}
