/** Pictures, files and voice messages between two browsers; and what becomes of one that the server has changed. */
import { createHash, randomBytes } from 'node:crypto';
import { copyFile, mkdtemp, readFile, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { must } from '#lib/must';
import { violations } from './axe.ts';
import { launch } from './browser.ts';
import { Person } from './person.ts';
import { wrote } from './plaintext.ts';
import { newSite, type Site } from './site.ts';

let browser: Browser;
let site: Site;
let ann: Person;
let bo: Person;

beforeAll(async () => {
  [browser, site] = await Promise.all([launch(), newSite()]);
  [ann, bo] = (await Promise.all(['Annegret', 'Bohumil'].map((name) => Person.at(browser, site.url, name)))) as [
    Person,
    Person,
  ];
  await Promise.all([ann.register(), bo.register()]);
  await ann.startDirect(bo);
  await ann.send('hello');
  await bo.open('Annegret');
  await bo.sees('hello');
});
afterAll(async () => {
  await browser?.close();
  await site?.[Symbol.asyncDispose]();
});

const choose = (page: Page, files: { name: string; mimeType: string; buffer: Buffer }[]) =>
  page.locator('input[type=file][multiple]').setInputFiles(files);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** A photograph as cameras write it: lying on its side, with the place in it. */
async function photo(page: Page): Promise<Buffer> {
  const base64 = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(1_200, 800);
    const context = canvas.getContext('2d');
    if (!context) throw new Error('no canvas');
    context.fillStyle = '#2f6b57';
    context.fillRect(0, 0, 1_200, 800);
    context.fillStyle = '#f2ac72';
    context.fillRect(0, 0, 300, 800);
    const noise = context.getImageData(0, 0, 1_200, 800);
    for (let i = 0; i < noise.data.length; i++) noise.data[i] = (noise.data[i] ?? 0) + ((i * 7_919) % 23);
    context.putImageData(noise, 0, 0);
    const bytes = new Uint8Array(
      await (await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.9 })).arrayBuffer(),
    );
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  });
  const jpeg = Buffer.from(base64, 'base64');
  // TIFF, big endian: orientation 6 (turn right), and a description that says where.
  const place = Buffer.from('48.2082N 16.3738E\0');
  const ifd = Buffer.alloc(2 + 2 * 12 + 4);
  ifd.writeUInt16BE(2, 0);
  ifd.writeUInt16BE(0x010e, 2);
  ifd.writeUInt16BE(2, 4);
  ifd.writeUInt32BE(place.length, 6);
  ifd.writeUInt32BE(8 + ifd.length, 10);
  ifd.writeUInt16BE(0x0112, 14);
  ifd.writeUInt16BE(3, 16);
  ifd.writeUInt32BE(1, 18);
  ifd.writeUInt16BE(6, 22);
  const exif = Buffer.concat([Buffer.from('Exif\0\0MM\0*\0\0\0\x08', 'latin1'), ifd, place]);
  const head = Buffer.from([0xff, 0xe1, 0, 0]);
  head.writeUInt16BE(exif.length + 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), head, exif, jpeg.subarray(2)]);
}

/** Of a JPEG, from its frame header. */
function sizeOf(jpeg: Buffer): { width: number; height: number } {
  for (let at = 2; at < jpeg.length; at += 2 + jpeg.readUInt16BE(at + 2)) {
    const marker = jpeg.readUInt8(at + 1);
    if (marker >= 0xc0 && marker <= 0xc2)
      return { height: jpeg.readUInt16BE(at + 5), width: jpeg.readUInt16BE(at + 7) };
  }
  throw new Error('no frame');
}

async function downloaded(page: Page, name: string): Promise<Buffer> {
  const coming = page.waitForEvent('download');
  await page
    .getByRole('button', { name: `Download ${name}` })
    .last()
    .click();
  return readFile(await (await coming).path());
}

describe.sequential('files', () => {
  test('[C94] a photograph arrives upright, described, and without the place where it was taken', async () => {
    const original = await photo(ann.page);
    expect(original.includes('48.2082N')).toBe(true);
    await choose(ann.page, [{ name: wrote('meadow in june.jpg'), mimeType: 'image/jpeg', buffer: original }]);
    const tray = ann.page.getByRole('list', { name: 'Files to send' });
    await tray.getByRole('button', { name: 'Describe meadow in june.jpg' }).click();
    await ann.page.getByRole('textbox', { name: 'Description' }).fill(wrote('A meadow with an orange barn'));
    await ann.page.getByRole('button', { name: 'Save' }).click();
    await ann.composer.fill(wrote('where we had the picnic'));
    await ann.page.keyboard.press('Enter');
    await bo.sees('where we had the picnic');
    const picture = bo.log.getByRole('button', { name: 'A meadow with an orange barn. Open' });
    await picture.locator('img').waitFor();
    await picture.focus();
    await bo.page.keyboard.press('Enter');
    const lightbox = bo.page.getByRole('dialog');
    await lightbox.getByRole('img', { name: 'A meadow with an orange barn' }).waitFor();
    const scaled = () => lightbox.getByRole('img').evaluate((one: HTMLElement) => one.style.transform);
    await bo.page.keyboard.press('+');
    expect(await scaled()).toContain('scale(1.5)');
    await bo.page.keyboard.press('0');
    expect(await scaled()).toContain('scale(1)');
    const bytes = await downloaded(bo.page, 'meadow in june.jpg');
    expect(bytes.includes('48.2082N')).toBe(false);
    expect(bytes.includes('Exif')).toBe(false);
    const { width, height } = sizeOf(bytes);
    expect([width, height]).toEqual([800, 1_200]);
    expect(await violations(bo.page)).toEqual([]);
    await bo.page.keyboard.press('Escape');
    await lightbox.waitFor({ state: 'detached' });
    expect(await bo.page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toContain('orange barn');
  });

  test('[P27] any file arrives byte for byte; one that the server has changed is refused in words', async () => {
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 31) & 255));
    await choose(ann.page, [
      {
        name: wrote('very long name of a plan for the summer house.bin'),
        mimeType: 'application/x-plan',
        buffer: bytes,
      },
    ]);
    await ann.page.getByRole('button', { name: 'Send', exact: true }).click();
    const name = 'very long name of a plan for the summer house.bin';
    expect(sha256(await downloaded(bo.page, name))).toBe(sha256(bytes));
    expect(await violations(bo.page)).toEqual([]);

    const before = new Set(await blobs());
    await choose(ann.page, [{ name: wrote('broken on the way.bin'), mimeType: 'application/x-plan', buffer: bytes }]);
    await ann.page.getByRole('button', { name: 'Send', exact: true }).click();
    await bo.page.getByRole('button', { name: 'Download broken on the way.bin' }).waitFor();
    const blob = must(
      (await blobs()).find((one) => !before.has(one)),
      'stored',
    );
    const stored = await readFile(blob);
    stored[100_000] = must(stored[100_000], 'long enough') ^ 1;
    await writeFile(blob, stored);
    await bo.page.getByRole('button', { name: 'Download broken on the way.bin' }).click();
    await bo.page.getByText('This is not the file that was sent. It was not opened.').waitFor();
    // Another one of the same size, whole and unharmed: only not the one that was sent.
    const first = await Promise.all([...before].map(async (one) => ({ one, size: (await stat(one)).size })));
    await copyFile(must(first.find(({ size }) => size === stored.length)?.one, 'the one before'), blob);
    await bo.page.getByText('This is not the file that was sent. It was not opened.').waitFor();
    await bo.page.getByRole('button', { name: 'Download broken on the way.bin' }).click();
    await bo.page
      .getByRole('progressbar', { name: 'Downloading broken on the way.bin' })
      .waitFor({ state: 'detached' });
    await bo.page.getByText('This is not the file that was sent. It was not opened.').waitFor();
    await truncate(blob, 1_000);
    await bo.page.getByRole('button', { name: 'Download broken on the way.bin' }).click();
    await bo.page.getByText('This file is not there any more.').waitFor();
  });

  test('[P27] 100 MB go from browser to browser, and are the same on the other side', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'parley-large-'));
    const path = join(folder, 'the whole summer.bin');
    wrote('the whole summer.bin');
    const bytes = randomBytes(100 * 1024 * 1024);
    await writeFile(path, bytes);
    await ann.page.locator('input[type=file][multiple]').setInputFiles(path);
    await ann.page.getByRole('button', { name: 'Send', exact: true }).click();
    await ann.page.getByRole('progressbar', { name: 'Upload' }).waitFor();
    const coming = bo.page.waitForEvent('download', { timeout: 150_000 });
    await bo.page.getByRole('button', { name: 'Download the whole summer.bin' }).click({ timeout: 150_000 });
    await bo.page.getByRole('progressbar', { name: /Downloading the whole summer/ }).waitFor();
    expect(sha256(await readFile(await (await coming).path()))).toBe(sha256(bytes));
    await rm(folder, { recursive: true });
  }, 360_000);

  test('several at once by dropping and pasting; text and sound are looked into in place', async () => {
    await ann.page.evaluate(() => {
      const data = new DataTransfer();
      data.items.add(new File(['first line\nsecond line'], 'notes.txt', { type: 'text/plain' }));
      const zone = document.querySelector('section[aria-label=Conversation]');
      for (const type of ['dragenter', 'dragover', 'drop']) {
        zone?.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: data }));
      }
    });
    wrote('first line\nsecond line');
    await ann.page.getByRole('button', { name: 'Remove notes.txt' }).waitFor();
    await ann.page.evaluate((seconds) => {
      const rate = 8_000;
      const view = new DataView(new ArrayBuffer(44 + rate * seconds));
      const text = (at: number, word: string) => [...word].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
      text(0, 'RIFF');
      view.setUint32(4, 36 + rate * seconds, true);
      text(8, 'WAVEfmt ');
      for (const [at, value] of [
        [16, 16],
        [24, rate],
        [28, rate],
        [40, rate * seconds],
      ] as const)
        view.setUint32(at, value, true);
      for (const [at, value] of [
        [20, 1],
        [22, 1],
        [32, 1],
        [34, 8],
      ] as const)
        view.setUint16(at, value, true);
      text(36, 'data');
      for (let i = 0; i < rate * seconds; i++) view.setUint8(44 + i, 128 + 60 * Math.sin(i / 4));
      const data = new DataTransfer();
      data.items.add(new File([view.buffer], 'hum.wav', { type: 'audio/wav' }));
      document
        .getElementById('composer-box')
        ?.dispatchEvent(new ClipboardEvent('paste', { bubbles: true, cancelable: true, clipboardData: data }));
    }, 300);
    await ann.page.getByRole('button', { name: 'Remove hum.wav' }).waitFor();
    await ann.composer.press('Enter');
    await bo.page.getByRole('button', { name: 'Look into notes.txt' }).click();
    await bo.page.getByText('second line').waitFor();
    await bo.page.getByRole('button', { name: 'Play hum.wav' }).click();
    const player = bo.page.locator('audio[controls]');
    await expect.poll(() => player.evaluate((one: HTMLAudioElement) => one.duration)).toBeCloseTo(300, 0);
    expect(await player.evaluate((one: HTMLAudioElement) => one.src)).toContain('/media/');
    await player.evaluate((one: HTMLAudioElement) => {
      one.currentTime = 250;
    });
    await expect.poll(() => player.evaluate((one: HTMLAudioElement) => one.currentTime)).toBeGreaterThan(250.2);
    await player.evaluate((one: HTMLAudioElement) => one.pause());
  });

  test('a voice message is recorded, listened to, sent, and played there; one plays at a time', async () => {
    for (const _ of [1, 2]) {
      await ann.page.getByRole('button', { name: 'Record a voice message' }).press('Enter');
      await ann.page.getByRole('group', { name: 'Recording' }).waitFor();
      await ann.page.waitForTimeout(1_800);
      await ann.page.getByRole('button', { name: 'Stop' }).click();
      await ann.page.getByRole('button', { name: 'Listen' }).waitFor();
      expect(await violations(ann.page)).toEqual([]);
      await ann.page.getByRole('button', { name: 'Send the voice message' }).click();
    }
    await bo.page.getByText('Not listened to yet').nth(1).waitFor({ state: 'attached' });
    const plays = bo.page.getByRole('button', { name: /^Play the voice message/ });
    await plays.first().click();
    await bo.page.getByRole('button', { name: 'Pause' }).waitFor();
    await plays.last().click();
    await expect.poll(() => bo.page.getByRole('button', { name: 'Pause' }).count()).toBeLessThan(2);
    const slider = bo.page.getByRole('slider').first();
    const sound = bo.page.locator('article audio:not([controls])').first();
    await sound.evaluate((one: HTMLAudioElement) => one.pause());
    await slider.click();
    await expect.poll(() => sound.evaluate((one: HTMLAudioElement) => one.currentTime)).toBeGreaterThan(0.5);
    expect(await sound.evaluate((one: HTMLAudioElement) => one.currentTime)).toBeLessThan(1.5);
    expect(await sound.evaluate((one: HTMLAudioElement) => one.duration)).toBeLessThan(10);
    await slider.press('End');
    expect(Number(await slider.getAttribute('aria-valuenow'))).toBeGreaterThan(0);
    expect(await violations(bo.page)).toEqual([]);
    // The browser notes that what was cut short above is not there.
    const complaints = [...ann.complaints, ...bo.complaints].filter((one) => !one.includes('status of 404'));
    expect(complaints).toEqual([]);
  });
});

async function blobs(): Promise<string[]> {
  const names = await readdir(join(site.env['DATA_DIR'] ?? '', 'files'), { recursive: true, withFileTypes: true });
  return names.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
}
