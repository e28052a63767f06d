/** Draws the icons of web/public from its favicon.svg: run once when the mark changes. Needs Chromium, as the browser tests do. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { findProgram, root } from './run.mjs';

const folder = join(root, 'web', 'public');
const mark = readFileSync(join(folder, 'favicon.svg'), 'utf8');
const GROUND = '#fbf9f6';
/** The part of the side that the mark takes; what systems cut into a circle needs more air. */
const ICONS = [
  { name: 'icon-192.png', size: 192, part: 0.72, ground: GROUND, radius: 0.22 },
  { name: 'icon-512.png', size: 512, part: 0.72, ground: GROUND, radius: 0.22 },
  { name: 'icon-maskable-512.png', size: 512, part: 0.58, ground: GROUND, radius: 0 },
  { name: 'apple-touch-icon.png', size: 180, part: 0.68, ground: GROUND, radius: 0 },
  // Systems take the shape only, and colour it themselves.
  { name: 'badge-96.png', size: 96, part: 0.96, ground: 'transparent', radius: 0, white: true },
];

const executablePath =
  process.env.CHROMIUM_PATH ?? findProgram('chromium', 'chromium-browser', 'google-chrome') ?? undefined;
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
const page = await browser.newPage();
for (const { name, size, part, ground, radius, white } of ICONS) {
  const shape = white ? mark.replace(/fill="#\w+"/g, 'fill="#fff"').replace('stroke="#fff"', 'stroke="#000"') : mark;
  await page.setViewportSize({ width: size, height: size });
  await page.setContent(`<style>body { margin: 0 } div { display: grid; place-items: center; width: 100vw; height: 100vh;
    background: ${ground}; border-radius: ${radius * 100}% } svg { width: ${part * 100}% }</style><div>${shape}</div>`);
  await page.screenshot({ path: join(folder, name), omitBackground: true });
}
await browser.close();
