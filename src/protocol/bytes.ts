/** Bytes on the wire: base64, standard alphabet, padded. The exact decoding is the crypto room's. */
import { z } from 'zod';

/** The last character before the padding has bits that say nothing: zero, so that one text stands for the bytes (RFC 4648 section 3.5). */
const REST = ['', '[A-Za-z0-9+/][AQgw]==', '[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]='] as const;
const BASE64 = new RegExp(`^(?:[A-Za-z0-9+/]{4})*(?:${REST[1]}|${REST[2]})?$`);

/** Found in the issues of a refused input, so that the answer can say `bad_format`. */
export const BASE64_ISSUE = 'base64, standard alphabet, padded';

export const base64 = (maxCharacters: number) => z.string().min(4).max(maxCharacters).regex(BASE64, BASE64_ISSUE);
/** base64 of exactly so many bytes. */
export const base64Of = (bytes: number) =>
  z
    .string()
    .length(4 * Math.ceil(bytes / 3))
    .regex(new RegExp(`^[A-Za-z0-9+/]{${4 * Math.floor(bytes / 3)}}${REST[bytes % 3] ?? ''}$`), BASE64_ISSUE);
