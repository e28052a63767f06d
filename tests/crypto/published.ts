/** Vectors published by others, which are data of theirs and not part of this repository: read when they lie beside it. */
import { existsSync } from 'node:fs';

/** True when they are absent; says so, with what is missing. */
export function absent(file: URL): boolean {
  if (existsSync(file)) return false;
  console.log(
    `skipped: ${file.pathname.split('/').at(-1)} is not there; the own frozen vectors in tests/vectors are checked all the same`,
  );
  return true;
}
