/** Makes a `switch` over a union exhaustive: adding a member stops the build here. */
export function assertNever(value: never): never {
  throw new TypeError(`unexpected: ${JSON.stringify(value)}`);
}
