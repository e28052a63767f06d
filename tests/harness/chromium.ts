/** The Chromium of this machine. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** @throws Error with what to install */
function findChromium(): string {
  const given = process.env.CHROMIUM_PATH;
  if (given) return given;
  for (const place of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of NAMES) {
      try {
        accessSync(join(place, name), constants.X_OK);
        return join(place, name);
      } catch {}
    }
  }
  throw new Error('Chromium is missing. Install it: apt-get install -y chromium fonts-noto-color-emoji');
}

/** How tests start it: headless, asking nobody on the net for anything, with a microphone that hums and that nobody has to allow. */
export const launchOptions = () => ({
  executablePath: findChromium(),
  args: [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
  ],
});
