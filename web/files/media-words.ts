/** What page and service worker say to each other about files that are played. */

/** Behind it stands a word that means something to one page, until it has played: neither name nor id of a file. Nothing else goes through the service worker. */
export const MEDIA_PATH = '/media/';

export interface MediaQuestion {
  readonly type: 'media';
  readonly id: string;
  readonly start: number;
  /** Exclusive; null: as much as comes. */
  readonly end: number | null;
}

export type MediaAnswer =
  | { readonly bytes: Uint8Array; readonly start: number; readonly size: number; readonly mime: string }
  | { readonly problem: 404 | 416 | 502; readonly size: number };
