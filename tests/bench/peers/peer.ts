/** What all peers get from the bench, and how they say that they listen. */
import type { FeedEvent } from '#protocol/event';

/** A real frame of Parley's feed: peers send the same event, and the bare `ws` the same bytes. */
export const frame = process.env.PEER_FRAME ?? '';
export const event = (JSON.parse(frame) as { result: { data: { data: FeedEvent & { type: 'message' } } } }).result.data
  .data;
export const port = Number(process.env.PEER_PORT);
/** Rooms of ten; everybody is in one of them. */
export const ROOMS = 100;

export const listening = () => console.log('peer listening');
