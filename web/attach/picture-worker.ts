/**
 * Makes pictures anew, off the main thread: turned as they are looked at, as large as wanted, and without anything the camera wrote into
 * them - only points are carried over.
 */
import { encode } from 'blurhash';
import { expose } from 'comlink';
import { pictureKind } from './picture-kind.ts';

/** What fills a large screen. */
const SCREEN = 2048;
/** More than cameras have; canvases end somewhere. */
const MOST_PIXELS = 100_000_000;
const THUMBNAIL = 640;
/** Below this a thumbnail would save nothing. */
const THUMBNAIL_FROM = 100_000;
const PREVIEW = 256;
const BLUR = 32;
/** Of what is drawn rather than taken nothing is lost, as long as it is small. */
const LOSSLESS_UP_TO = 1_000_000;

export interface Made {
  file: Blob;
  width: number;
  height: number;
  blurhash: string;
  preview: Blob;
  thumbnail: { file: Blob; width: number; height: number } | null;
  /** Sent as it is: made anew, it would stand still. */
  isMoving: boolean;
}

async function make(source: Blob, isSmaller: boolean): Promise<Made> {
  const kind = await pictureKind(source);
  const image = await createImageBitmap(source, { imageOrientation: 'from-image' });
  try {
    const { width, height } = image;
    const isMoving = await moves(source, kind);
    const { blurhash, isOpaque } = blur(image);
    const preview = await shrunk(image, PREVIEW, isOpaque);
    if (isMoving) return { file: source, width, height, blurhash, preview: preview.file, thumbnail: null, isMoving };
    const most = isSmaller ? SCREEN : Math.max(width, height) * Math.min(1, Math.sqrt(MOST_PIXELS / (width * height)));
    const canvas = draw(image, most);
    const file = await written(canvas, { kind, isSmaller, isOpaque });
    const hasThumbnail = file.size > THUMBNAIL_FROM && Math.max(canvas.width, canvas.height) > THUMBNAIL;
    const thumbnail = hasThumbnail ? await shrunk(image, THUMBNAIL, isOpaque) : null;
    const [w, h] = [canvas.width, canvas.height];
    return { file, width: w, height: h, blurhash, preview: preview.file, thumbnail, isMoving };
  } finally {
    image.close();
  }
}

async function moves(source: Blob, kind: string | null): Promise<boolean> {
  if (kind !== 'image/gif' && kind !== 'image/webp' && kind !== 'image/png') return false;
  // Who cannot ask keeps what mostly moves.
  if (typeof ImageDecoder === 'undefined') return kind === 'image/gif';
  const decoder = new ImageDecoder({ data: source.stream(), type: kind });
  try {
    await decoder.completed;
    return decoder.tracks.selectedTrack?.animated ?? false;
  } catch {
    return kind === 'image/gif';
  } finally {
    decoder.close();
  }
}

function draw(image: ImageBitmap, longest: number, ground?: string): OffscreenCanvas {
  const share = Math.min(1, longest / Math.max(image.width, image.height));
  const width = Math.max(1, Math.round(image.width * share));
  const height = Math.max(1, Math.round(image.height * share));
  const canvas = new OffscreenCanvas(width, height);
  const context = contextOf(canvas);
  context.imageSmoothingQuality = 'high';
  if (ground) {
    context.fillStyle = ground;
    context.fillRect(0, 0, width, height);
  }
  context.drawImage(image, 0, 0, width, height);
  return canvas;
}

interface Wanted {
  kind: string | null;
  isSmaller: boolean;
  isOpaque: boolean;
}

async function written(canvas: OffscreenCanvas, { kind, isSmaller, isOpaque }: Wanted): Promise<Blob> {
  const quality = isSmaller ? 0.85 : 0.94;
  if (kind === 'image/jpeg') return canvas.convertToBlob({ type: 'image/jpeg', quality });
  if (kind === 'image/png' || kind === 'image/bmp') {
    const exact = await canvas.convertToBlob({ type: 'image/png' });
    if (!isSmaller || exact.size <= LOSSLESS_UP_TO) return exact;
  }
  return compact(canvas, quality, isOpaque);
}

/** Browsers that cannot write WebP answer with PNG, which is right for what can be seen through and else larger than a JPEG. */
async function compact(canvas: OffscreenCanvas, quality: number, isOpaque: boolean): Promise<Blob> {
  const webp = await canvas.convertToBlob({ type: 'image/webp', quality });
  return webp.type === 'image/webp' || !isOpaque ? webp : canvas.convertToBlob({ type: 'image/jpeg', quality });
}

async function shrunk(image: ImageBitmap, longest: number, isOpaque: boolean) {
  const canvas = draw(image, longest);
  return { file: await compact(canvas, 0.8, isOpaque), width: canvas.width, height: canvas.height };
}

function blur(image: ImageBitmap): { blurhash: string; isOpaque: boolean } {
  const seen = pointsOf(draw(image, BLUR));
  const isOpaque = seen.data.every((value, index) => index % 4 !== 3 || value === 255);
  const { data, width, height } = isOpaque ? seen : pointsOf(draw(image, BLUR, 'white'));
  return { blurhash: encode(data as Uint8ClampedArray, width, height, 4, 3), isOpaque };
}

const pointsOf = (canvas: OffscreenCanvas) => contextOf(canvas).getImageData(0, 0, canvas.width, canvas.height);

function contextOf(canvas: OffscreenCanvas): OffscreenCanvasRenderingContext2D {
  const context = canvas.getContext('2d');
  if (!context) throw new Error('no canvas');
  return context;
}

const offered = { make };
export type PictureWorker = typeof offered;
expose(offered);
