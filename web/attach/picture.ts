/**
 * Makes pictures ready to be sent: drawn anew, so that nothing of what the camera wrote (place, time, serial number) leaves the device,
 * upright, no larger than wanted, with a blur and a small copy of itself.
 */
import { encode } from 'blurhash';
import type { OutgoingFile } from '#client/types';

/** Sharp on any screen. */
const FITS_SCREENS = 2_048;
const SMALL_SIDE = 640;
/** Below this a small copy saves nothing. */
const SMALL_FROM = 100_000;
const BLUR_SIDE = 32;
const REDRAWN = /^image\/(?:jpeg|png|webp|avif|bmp|heic|heif|tiff)$/;

/** What browsers draw as one still picture. Moving ones (GIF) go as they are. */
export const isPicture = (file: Blob): boolean => REDRAWN.test(file.type);

/** Null when this browser cannot read it: it is then sent as a file, as it is. */
export async function readyPicture(file: File, original: boolean): Promise<OutgoingFile | null> {
  const bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' }).catch(() => null);
  if (!bitmap) return null;
  try {
    const { width, height } = fit(bitmap, original ? Infinity : FITS_SCREENS);
    const [type, quality] = formOf(file.type, original);
    const drawn = await draw(bitmap, width, height).convertToBlob({ type, quality });
    const small = drawn.size > SMALL_FROM ? await smallCopy(bitmap) : null;
    return {
      file: drawn,
      name: renamed(file.name, drawn.type),
      width,
      height,
      blurhash: blurOf(bitmap),
      ...(small ? { thumbnail: small } : {}),
    };
  } finally {
    bitmap.close();
  }
}

function fit({ width, height }: ImageBitmap, longest: number): { width: number; height: number } {
  const by = Math.min(1, longest / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * by)), height: Math.max(1, Math.round(height * by)) };
}

function draw(bitmap: ImageBitmap, width: number, height: number): OffscreenCanvas {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  if (!context) throw new Error('no canvas');
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, width, height);
  return canvas;
}

/** Photographs stay photographs; what may have sharp edges or be seen through stays so. */
function formOf(type: string, original: boolean): [type: string, quality: number] {
  if (type === 'image/png' || type === 'image/bmp') return original ? ['image/png', 1] : ['image/webp', 0.9];
  return type === 'image/webp' ? [type, 0.88] : ['image/jpeg', original ? 0.94 : 0.86];
}

async function smallCopy(bitmap: ImageBitmap) {
  const { width, height } = fit(bitmap, SMALL_SIDE);
  return {
    file: await draw(bitmap, width, height).convertToBlob({ type: 'image/webp', quality: 0.75 }),
    width,
    height,
  };
}

function blurOf(bitmap: ImageBitmap): string {
  const { width, height } = fit(bitmap, BLUR_SIDE);
  const context = draw(bitmap, width, height).getContext('2d');
  const { data } = context?.getImageData(0, 0, width, height) ?? { data: new Uint8ClampedArray(width * height * 4) };
  return encode(data, width, height, 4, 3);
}

const ENDINGS: Record<string, string> = { 'image/jpeg': 'jpg', 'image/png': 'png', 'image/webp': 'webp' };

const renamed = (name: string, type: string): string =>
  `${name.replace(/\.[^.]*$/, '') || 'picture'}.${ENDINGS[type] ?? 'img'}`;
