/** Owns requests for files that are played: the page that plays one opens the part that is asked for; this only carries it. */
import { MEDIA_PATH, type MediaAnswer, type MediaQuestion } from '../files/media-words.ts';
import { type OpenPage, scope } from './scope.ts';

const PATIENCE_MS = 60_000;
/** What a player may be given, whatever the message says it is. */
const PLAYED = /^(?:audio|video)\/[a-z0-9.+-]+$/;

export const isMedia = (url: string): boolean => new URL(url).pathname.startsWith(MEDIA_PATH);

export async function mediaResponse(request: Request, clientId: string): Promise<Response> {
  // Players only: never a page, a script or a picture of ours.
  if (request.destination !== 'audio' && request.destination !== 'video') return new Response(null, { status: 404 });
  const page = await scope.clients.get(clientId);
  const [, from = '0', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get('range') ?? '') ?? [];
  const id = new URL(request.url).pathname.slice(MEDIA_PATH.length);
  const question = { type: 'media' as const, id, start: Number(from), end: to === '' ? null : Number(to) + 1 };
  const told = page && (await asked(page, question));
  if (!told) return new Response(null, { status: 404 });
  if ('problem' in told) {
    return new Response(null, { status: told.problem, headers: { 'content-range': `bytes */${told.size}` } });
  }
  const { bytes, start, size, mime } = told;
  return new Response(bytes as Uint8Array<ArrayBuffer>, {
    status: 206,
    headers: {
      'accept-ranges': 'bytes',
      'cache-control': 'no-store',
      'content-length': String(bytes.length),
      'content-range': `bytes ${start}-${start + bytes.length - 1}/${size}`,
      'content-type': PLAYED.test(mime) ? mime : 'application/octet-stream',
      'x-content-type-options': 'nosniff',
    },
  });
}

function asked(page: OpenPage, question: MediaQuestion): Promise<MediaAnswer | undefined> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    const end = (answer?: MediaAnswer) => {
      clearTimeout(timer);
      port1.close();
      resolve(answer);
    };
    const timer = setTimeout(end, PATIENCE_MS);
    port1.onmessage = ({ data }) => end(data as MediaAnswer);
    page.postMessage(question, [port2]);
  });
}
