/** Makes a group's picture of any image: its middle, square, small enough to travel with the title, and without what the camera wrote into it. */
import { PICTURE_BYTES } from '#client/index';

/** Twice the largest place it is shown at would be 160; at a pinch fewer points look better than fewer bits. */
const SIDES = [128, 96, 64];
const QUALITIES = [0.85, 0.7, 0.5, 0.3];

/** A data URL. Throws what the browser throws when this is no image. */
export async function shrink(file: Blob): Promise<string> {
  const image = await createImageBitmap(file);
  try {
    for (const side of SIDES) {
      const canvas = draw(image, side);
      for (const quality of QUALITIES) {
        const picture = await encode(canvas, quality);
        if (picture.size <= PICTURE_BYTES) return await asDataUrl(picture);
      }
    }
  } finally {
    image.close();
  }
  throw new Error('no picture is this large');
}

function draw(image: ImageBitmap, side: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = side;
  canvas.height = side;
  const edge = Math.min(image.width, image.height);
  const context = canvas.getContext('2d');
  if (!context) throw new Error('no canvas');
  context.imageSmoothingQuality = 'high';
  context.fillStyle = 'white';
  context.fillRect(0, 0, side, side);
  context.drawImage(image, (image.width - edge) / 2, (image.height - edge) / 2, edge, edge, 0, 0, side, side);
  return canvas;
}

/** Browsers that cannot write WebP answer with PNG instead, which is larger than a JPEG. */
async function encode(canvas: HTMLCanvasElement, quality: number): Promise<Blob> {
  const webp = await toBlob(canvas, 'image/webp', quality);
  return webp.type === 'image/webp' ? webp : toBlob(canvas, 'image/jpeg', quality);
}

const toBlob = (canvas: HTMLCanvasElement, type: string, quality: number): Promise<Blob> =>
  new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('not encoded'))), type, quality);
  });

async function asDataUrl(blob: Blob): Promise<string> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return `data:${blob.type};base64,${btoa(String.fromCharCode(...bytes))}`;
}
