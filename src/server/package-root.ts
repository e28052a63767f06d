/** Where the package lies, from the sources as well as from the bundle: migrations and the built web app are found from here. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function find(): string {
  let place = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(place, 'package.json'))) {
    const above = dirname(place);
    if (above === place) throw new Error('package.json was not found above the server: keep dist/ inside the package');
    place = above;
  }
  return place;
}

export const packageRoot = find();
