/** Owns what a picture of a group may be: a small one, inside the sealed title, as a data URL. */

/** It travels with every title, so it costs each member a few kilobytes for each group he is in. */
export const PICTURE_BYTES = 4_096;

const FORM = /^data:image\/(?:webp|jpeg|png);base64,[A-Za-z0-9+/]+={0,2}$/;
const LONGEST = 'data:image/webp;base64,'.length + Math.ceil(PICTURE_BYTES / 3) * 4;

/** What somebody wrote there counts only if it is a picture and nothing that a browser would fetch or run. */
export const pictureOf = (value: unknown): string | null =>
  typeof value === 'string' && value.length <= LONGEST && FORM.test(value) ? value : null;
