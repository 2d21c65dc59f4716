/**
 * An image arrives as a field of a form or as the whole body, and becomes the tensor of a model.
 *
 * npm install --prefix docs/cookbook/image-upload
 * npm start -- --entry-script docs/cookbook/image-upload/score.ts
 * sh docs/cookbook/image-upload/try.sh
 */

import { type InitContext, type Model, ScoringError } from 'scoring-server';
import sharp from 'sharp';

/** `run()` gets the Request, which can read forms. */
export const rawHttp = true;

const SIZE = 8;
const PLANE = SIZE * SIZE;
const LABELS = ['red', 'green', 'blue'];
/** A small file can hold a huge image. */
const MOST_PIXELS = 50_000_000;

let model: Model;

export async function init(context: InitContext) {
  model = await context.openModel('colours.onnx');
}

export async function run(request: Request) {
  const pixels = await decode(await readImage(request));
  const { label } = await model.run({ image: toPlanes(pixels) });
  return { label: LABELS[Number(label?.data[0])] };
}

async function readImage(request: Request): Promise<ArrayBuffer> {
  if (!request.headers.get('content-type')?.startsWith('multipart/form-data')) return request.arrayBuffer();
  const image = (await request.formData()).get('image');
  if (!(image instanceof File)) throw new ScoringError(400, 'expected a file in the form field "image"');
  return image.arrayBuffer();
}

/** SIZE x SIZE pixels, each with its red, green and blue byte. */
async function decode(image: ArrayBuffer): Promise<Uint8Array> {
  try {
    return await sharp(image, { limitInputPixels: MOST_PIXELS })
      .autoOrient()
      .resize(SIZE, SIZE, { fit: 'fill' })
      .toColourspace('srgb')
      .removeAlpha()
      .raw()
      .toBuffer();
  } catch (cause) {
    throw new ScoringError(422, 'expected an image, such as JPEG, PNG or WebP, of at most 50 megapixels', { cause });
  }
}

/** [1, 3, SIZE, SIZE]: all red values, then all green, then all blue, from 0 to 1. */
function toPlanes(pixels: Uint8Array): Float32Array {
  return Float32Array.from({ length: 3 * PLANE }, (_, index) => {
    const channel = Math.floor(index / PLANE);
    return (pixels[(index % PLANE) * 3 + channel] ?? 0) / 255;
  });
}
