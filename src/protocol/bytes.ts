/** Bytes on the wire: base64, standard alphabet, padded. The exact decoding is the crypto room's. */
import { z } from 'zod';

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export const base64 = (maxCharacters: number) =>
  z.string().min(4).max(maxCharacters).regex(BASE64, 'base64, standard alphabet, padded');
/** base64 of exactly so many bytes. */
export const base64Of = (bytes: number) =>
  z
    .string()
    .length(4 * Math.ceil(bytes / 3))
    .regex(BASE64, `base64 of ${bytes} bytes`);
