/** Files on their way out of a browser: what is taken out of pictures, what is refused in time, what a lost connection or page costs. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Chat, FileView } from '#client/index';
import { must } from '#lib/must';
import { newWire, type Wire } from '../client/wire.ts';
import { violations } from './axe.ts';
import { launch } from './browser.ts';
import { Person } from './person.ts';
import { newProgram, wrote } from './plaintext.ts';
import { newSite, type Site } from './site.ts';

const MB = 1_000_000;

let browser: Browser;
let site: Site;
/** Between the browser and the server. */
let wire: Wire;
let ann: Person;
/** The other one, without a browser, on a connection that holds: looks at bytes. */
let bo: Chat;
let direct: string;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-sending-'));
  [browser, site] = await Promise.all([
    launch(),
    newSite({ FILE_MAX_BYTES: String(130 * MB), FILES_PER_MESSAGE: '3' }),
  ]);
  wire = await newWire(site.url);
  ann = await Person.at(browser, wire.url, 'Annelie');
  bo = newProgram(site.url);
  const profile = { username: 'bertil', email: 'bertil@example.org', displayName: 'Bertil' };
  await Promise.all([ann.register(), bo.register({ ...profile, password: 'correct horse battery' })]);
  const [found] = await bo.api.users.search.query({ query: 'annelie' });
  const { id } = must(found, 'just registered');
  await bo.createGroup('Bird club', [id]);
  direct = await bo.createDirect(id);
  await bo.open(direct);
  bo.send(direct, { text: 'show me' });
  await ann.open('Bertil');
  await ann.sees('show me');
});
afterAll(async () => {
  await bo?.close();
  await browser?.close();
  await wire?.[Symbol.asyncDispose]();
  await site?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

// One story: each test goes on where the one before it ended, and is skipped when that one failed.
let broken = false;
beforeEach((context) => {
  if (broken) context.skip('a test before it failed');
  context.onTestFailed(() => {
    broken = true;
  });
});

const tray = () => ann.page.getByRole('list', { name: 'Files to send' });
async function ready(): Promise<void> {
  await expect.poll(() => tray().locator('[aria-busy=true]').count(), { timeout: 20_000 }).toBe(0);
}
const choose = (files: string | string[] | { name: string; mimeType: string; buffer: Buffer }[]) =>
  ann.page.locator('input[type=file][multiple]').setInputFiles(files);

/** What has come with the message that says this, whole and checked. */
async function come(caption: string): Promise<readonly FileView[]> {
  const files = () => {
    const timeline = bo.store.getState().timelines[direct];
    const contents = (timeline?.ids ?? []).map((id) => timeline?.byId.get(id)?.content);
    return contents.flatMap((one) => (one?.kind === 'text' && one.body === caption ? [one.files ?? []] : [])).at(-1);
  };
  await expect.poll(files, { timeout: 120_000 }).toBeDefined();
  return must(files(), 'has come');
}
const bytesOf = async (file: FileView) => Buffer.from(await (await bo.fetchFile(file)).arrayBuffer());
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** 300 by 200, red left and blue right - of which the camera says that it lies on its side, and where that was. */
async function photo(): Promise<Buffer> {
  const base64 = await ann.page.evaluate(() => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [300, 200];
    const context = canvas.getContext('2d');
    if (!context) throw new Error('no canvas');
    context.fillStyle = 'red';
    context.fillRect(0, 0, 150, 200);
    context.fillStyle = 'blue';
    context.fillRect(150, 0, 150, 200);
    return canvas.toDataURL('image/jpeg', 0.95).split(',')[1] ?? '';
  });
  const jpeg = Buffer.from(base64, 'base64');
  const tiff = Buffer.alloc(26 + 30);
  tiff.write('MM\0*\0\0\0\x08', 'latin1');
  tiff.writeUInt16BE(2, 8);
  // Orientation 6: a quarter turn to the right.
  Buffer.from('0112000300000001000600008825000400000001', 'hex').copy(tiff, 10);
  tiff.writeUInt32BE(38, 30);
  // GPSLatitudeRef.
  tiff.writeUInt16BE(1, 38);
  Buffer.from('0001000200000002', 'hex').copy(tiff, 40);
  tiff.write('N\0', 48, 'latin1');
  const exif = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff, Buffer.from('Grandmother’s garden')]);
  const head = Buffer.from([0xff, 0xe1, 0, 0]);
  head.writeUInt16BE(exif.length + 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), head, exif, jpeg.subarray(2)]);
}

/** The size of a picture and the colour of two of its points, as a browser shows it. */
const seen = (bytes: Buffer, type: string) =>
  ann.page.evaluate(
    async ({ base64, type: mime }) => {
      const raw = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const image = await createImageBitmap(new Blob([raw], { type: mime }));
      const canvas = new OffscreenCanvas(image.width, image.height);
      const context = canvas.getContext('2d');
      if (!context) throw new Error('no canvas');
      context.drawImage(image, 0, 0);
      const at = (x: number, y: number) => {
        const [r = 0, , b = 0, a = 0] = context.getImageData(x, y, 1, 1).data;
        if (a === 0) return 'nothing';
        return r > b ? 'red' : 'blue';
      };
      const [w, h] = [image.width, image.height];
      return { width: w, height: h, above: at(w / 2, h / 8), below: at(w / 2, (h * 7) / 8) };
    },
    { base64: bytes.toString('base64'), type },
  );

describe.sequential('sending files', () => {
  for (const size of ['Smaller (fits screens)', 'Original size']) {
    test(`[P29] ${size}: a photograph is turned upright, and what the camera wrote into it stays here`, async () => {
      const original = await photo();
      expect(original.includes('Exif')).toBe(true);
      await choose([{ name: wrote('garden with swing.jpg'), mimeType: 'image/jpeg', buffer: original }]);
      await ann.page.getByRole('radio', { name: size }).check({ force: true });
      await tray().getByRole('button', { name: 'Describe garden with swing.jpg' }).click();
      await ann.page.getByRole('textbox', { name: 'Description' }).fill(wrote('A swing under an old tree'));
      await ann.page.getByRole('button', { name: 'Save' }).click();
      await ann.composer.fill(wrote(`the garden, ${size}`));
      expect(await violations(ann.page)).toEqual([]);
      await ann.composer.press('Enter');
      const [picture] = await come(`the garden, ${size}`);
      const file = must(picture, 'came with it');
      expect(file).toMatchObject({ kind: 'image', width: 200, height: 300, alt: 'A swing under an old tree' });
      expect(file.blurhash).toMatch(/^.{20,}$/);
      const bytes = await bytesOf(file);
      for (const trace of ['Exif', 'Grandmother']) expect(bytes.includes(trace)).toBe(false);
      expect(await seen(bytes, file.mime)).toEqual({ width: 200, height: 300, above: 'red', below: 'blue' });
      await ann.page.getByRole('button', { name: 'A swing under an old tree. Open' }).last().waitFor();
    });
  }

  test('a large picture is made to fit screens, and see-through stays so', async () => {
    const longest = ann.page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          const tasks: number[] = [];
          new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
            type: 'longtask',
          });
          setTimeout(() => resolve(Math.max(0, ...tasks)), 8_000);
        }),
    );
    const made = await newPng(4_000, 3_000);
    await choose([{ name: wrote('glass house.png'), mimeType: 'image/png', buffer: made }]);
    await tray().getByRole('img', { name: 'glass house.png' }).waitFor();
    await ready();
    console.log(`longest task while a picture of 12 megapixels is made: ${Math.round(await longest)} ms`);
    await ann.composer.fill(wrote('all of glass'));
    await ann.composer.press('Enter');
    const [picture] = await come('all of glass');
    const file = must(picture, 'came with it');
    expect(file).toMatchObject({ width: 2048, height: 1536 });
    expect(file.mime).toMatch(/png|webp/);
    expect(file.thumbnail).toMatchObject({ width: 640, height: 480 });
    const { above, below } = await seen(await bytesOf(file), file.mime);
    expect([above, below]).toEqual(['nothing', expect.not.stringMatching('nothing')]);
  });

  test('pasted, dropped, several at once, none of them words: all are in the tray of this conversation', async () => {
    await ann.composer.fill('');
    await ann.page.evaluate(async () => {
      const box = document.getElementById('composer-box');
      const canvas = new OffscreenCanvas(40, 30);
      canvas.getContext('2d')?.fillRect(0, 0, 20, 30);
      const pasted = new DataTransfer();
      pasted.items.add(new File([await canvas.convertToBlob()], 'image.png', { type: 'image/png' }));
      box?.dispatchEvent(new ClipboardEvent('paste', { clipboardData: pasted, bubbles: true, cancelable: true }));
      // An office program's: the words are meant, not their picture.
      const words = new DataTransfer();
      words.items.add('some words', 'text/plain');
      words.items.add(new File(['x'], 'words.png', { type: 'image/png' }));
      box?.dispatchEvent(new ClipboardEvent('paste', { clipboardData: words, bubbles: true, cancelable: true }));
    });
    await tray()
      .getByRole('img', { name: /^Pasted / })
      .waitFor();
    const dragged = await ann.page.evaluateHandle(() => {
      const data = new DataTransfer();
      for (const name of ['list of birds.txt', 'an empty one.dat', 'third.bin']) {
        data.items.add(new File(name.startsWith('an') ? [] : ['wren, robin, blackbird'], name));
      }
      return data;
    });
    for (const name of ['list of birds.txt', 'an empty one.dat', 'wren, robin, blackbird']) wrote(name);
    await ann.log.dispatchEvent('dragenter', { dataTransfer: dragged });
    await ann.page.getByText('Let go to add it').waitFor();
    await ann.log.dispatchEvent('drop', { dataTransfer: dragged });
    await ann.page.getByText('Let go to add it').waitFor({ state: 'detached' });
    await tray().getByRole('listitem').nth(3).waitFor();
    expect(await tray().getByRole('listitem').count()).toBe(4);
    await ready();
    expect(await violations(ann.page)).toEqual([]);
    // Somewhere else and back.
    await ann.open('Bird club');
    expect(await tray().count()).toBe(0);
    await ann.open('Bertil');
    await tray().getByRole('button', { name: 'Remove third.bin' }).click();
    expect(await ann.page.evaluate(() => document.activeElement?.id)).toBe('composer-box');
    // Three files go in one message here: with one more, there would be two.
    await ann.page.keyboard.press('Enter');
    await tray().waitFor({ state: 'detached' });
    await expect.poll(async () => (await come('')).length).toBe(3);
    const files = await come('');
    expect(files.map(({ size }) => size).slice(1)).toEqual([22, 0]);
    expect((await bytesOf(must(files[1], 'second'))).toString()).toBe('wren, robin, blackbird');
  });

  test('more than one message takes go in several, the words with the first', async () => {
    const five = [1, 2, 3, 4, 5].map((n) => ({
      name: `page ${n}.txt`,
      mimeType: 'text/plain',
      buffer: Buffer.from(`page number ${n}`),
    }));
    await choose(five);
    await ann.composer.fill(wrote('five pages'));
    await ann.composer.press('Enter');
    expect((await come('five pages')).map(({ name }) => name)).toEqual(['page 1.txt', 'page 2.txt', 'page 3.txt']);
    await expect.poll(async () => (await come('')).map(({ name }) => name)).toEqual(['page 4.txt', 'page 5.txt']);
  });

  test('too large is refused before anything is uploaded', async () => {
    const uploads: string[] = [];
    ann.page.on('request', (request) => request.url().includes('files') && uploads.push(request.url()));
    const path = join(folder, 'too large.bin');
    await writeFile(path, Buffer.alloc(140 * MB));
    await choose(path);
    await ann.page.getByText('This server takes files of up to 130 MB.').waitFor();
    expect(await tray().count()).toBe(0);
    expect(uploads.filter((url) => !url.includes('limits'))).toEqual([]);
    await rm(path);
  });

  test('[P27] 100 MB with the connection cut three times, paused and resumed: byte-identical, within memory', async () => {
    const path = join(folder, 'crossing.bin');
    await writeFile(path, randomBytes(100 * MB));
    const session = await ann.page.context().newCDPSession(ann.page);
    await session.send('Performance.enable');
    const before = await rendererMemory();
    let [heap, memory, cuts] = [0, 0, 0];
    const measure = async () => {
      const { metrics } = await session.send('Performance.getMetrics');
      heap = Math.max(heap, metrics.find(({ name }) => name === 'JSHeapUsedSize')?.value ?? 0);
      memory = Math.max(memory, await rendererMemory());
    };
    await choose(path);
    await ann.composer.fill(wrote('the whole crossing'));
    await ann.page.exposeFunction('cut', () => {
      wire.cut();
      cuts++;
    });
    const paused = pausedAt(75, [15, 35, 55]);
    await Promise.all([paused, ann.composer.press('Enter')]);
    await ann.page.getByText('Paused').waitFor();
    const held = await share();
    await measure();
    // What the server has stays there: at most a part of it goes out once more.
    expect(await resumedAt()).toBeGreaterThan(held - 15);
    expect(cuts).toBe(3);
    const [file] = await Promise.all([
      come('the whole crossing'),
      (async () => {
        while ((await bar().count()) > 0) {
          await measure();
          await ann.page.waitForTimeout(50);
        }
      })(),
    ]);
    const mb = (bytes: number) => `${Math.round(bytes / MB)} MB`;
    console.log(`100 MB: heap of the page at most ${mb(heap)}; renderers ${mb(before)} before, at most ${mb(memory)}`);
    expect(heap).toBeLessThan(150 * MB);
    expect(sha256(await bytesOf(must(file[0], 'came with it')))).toBe(sha256(await readFile(path)));
  });

  test('[P27] a page that is reloaded in the middle of an upload goes on', async () => {
    const path = join(folder, 'again.bin');
    await writeFile(path, randomBytes(40 * MB));
    await choose(path);
    await ann.composer.fill(wrote('and once more'));
    await Promise.all([pausedAt(20), ann.composer.press('Enter')]);
    await ann.page.getByText('Paused').waitFor();
    // What is sealed stays; until then the page would ask.
    await expect.poll(() => isSafeToClose(), { timeout: 30_000 }).toBe(true);
    await ann.page.reload();
    await ann.page.getByRole('button', { name: 'Resume the upload' }).click();
    const [file] = await come('and once more');
    expect(sha256(await bytesOf(must(file, 'came with it')))).toBe(sha256(await readFile(path)));
    await ann.tick('and once more', 'Delivered').waitFor();
    expect(ann.complaints).toEqual([]);
  });
});

const bar = () => ann.page.getByRole('progressbar', { name: 'Upload' });
/** In percent; 0 while there is none. */
const share = () => bar().evaluateAll(([one]) => Number(one?.getAttribute('aria-valuenow') ?? 0));

/** Resumes, and says at how many percent it goes on. The rest may be through before anybody outside has looked. */
const resumedAt = () =>
  ann.page.evaluate(async () => {
    document.querySelector<HTMLElement>('[aria-label="Resume the upload"]')?.click();
    for (;;) {
      await new Promise(requestAnimationFrame);
      const bar = document.querySelector('[role=progressbar][aria-label=Upload]');
      const now = Number(bar?.getAttribute('aria-valuenow') ?? 0);
      if (now > 0) return now;
    }
  });

/** Presses as fast as only a page can, when that many percent are there; the connection is cut at others before. */
const pausedAt = (percent: number, cutAt: number[] = []) =>
  ann.page.evaluate(
    async ([end, cuts]) => {
      const left = [...cuts];
      for (;;) {
        await new Promise(requestAnimationFrame);
        const now = Number(
          document.querySelector('[role=progressbar][aria-label=Upload]')?.getAttribute('aria-valuenow'),
        );
        if (left[0] !== undefined && now >= left[0]) {
          left.shift();
          await (globalThis as unknown as { cut(): Promise<void> }).cut();
        } else if (left.length === 0 && now >= end) {
          const button = document.querySelector<HTMLElement>('[aria-label="Pause the upload"]');
          if (button) return button.click();
        }
      }
    },
    [percent, cutAt] as const,
  );

/** Whether the page would let itself be closed without a word. */
const isSafeToClose = () =>
  ann.page.evaluate(() => {
    const leaving = new Event('beforeunload', { cancelable: true });
    dispatchEvent(leaving);
    return !leaving.defaultPrevented;
  });

/** See-through above, noise below. */
async function newPng(width: number, height: number): Promise<Buffer> {
  const base64 = await ann.page.evaluate(
    async ([w = 0, h = 0]) => {
      const canvas = new OffscreenCanvas(w, h);
      const context = canvas.getContext('2d');
      if (!context) throw new Error('no canvas');
      const image = context.createImageData(w, h / 2);
      for (let i = 0; i < image.data.length; i++) image.data[i] = i % 4 === 3 ? 255 : (Math.imul(i, 7_919) >>> 5) & 255;
      context.putImageData(image, 0, h / 2);
      const bytes = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
      let text = '';
      for (let at = 0; at < bytes.length; at += 8_192) text += String.fromCharCode(...bytes.subarray(at, at + 8_192));
      return btoa(text);
    },
    [width, height],
  );
  return Buffer.from(base64, 'base64');
}

/** Private memory of all renderers of this browser, page and workers, in bytes. */
async function rendererMemory(): Promise<number> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  const sizes = processInfo
    .filter(({ type }) => type === 'renderer')
    .map(async ({ id }) => {
      const text = await readFile(`/proc/${id}/smaps_rollup`, 'utf8').catch(() => '');
      const kb = [...text.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+)/gm)].map(([, count]) => Number(count));
      return kb.reduce((sum, count) => sum + count, 0) * 1_024;
    });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
