/** Types of build.mjs, for the TypeScript that starts the built product. */
export function buildIfNeeded(): Promise<boolean>;
