/** What encryption costs the person in front of it. */
import { launch } from '../../e2e/browser.ts';
import type { Figure } from '../stats.ts';
import type { World } from '../world.ts';
import { measureBundle } from './bundle.ts';
import { measureNewBrowser } from './new-browser.ts';
import { measureOpening } from './opening.ts';
import { measureRemoval } from './removal.ts';

export async function measureEncryption(world: World): Promise<Figure[]> {
  const browser = await launch();
  try {
    return [
      ...(await measureBundle()),
      await measureOpening(browser),
      await measureNewBrowser(world, browser),
      ...(await measureRemoval(world, browser)),
    ];
  } finally {
    await browser.close();
  }
}
