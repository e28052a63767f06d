/** The page's side of making pictures anew: one at a time, because each takes as much memory as it has points. */
import { type Remote, wrap } from 'comlink';
import type { Made, PictureWorker } from './picture-worker.ts';

/** A picture that takes longer than this has brought the worker down. */
const PATIENCE_MS = 60_000;

let worker: { thread: Worker; remote: Remote<PictureWorker> } | null = null;
let last: Promise<unknown> = Promise.resolve();
let waiting = 0;

/** Null when this browser cannot open it, or nobody wants it any more. */
export function makePicture(source: Blob, isSmaller: boolean, isWanted: () => boolean): Promise<Made | null> {
  waiting++;
  const made = last
    .then(() => (isWanted() ? attempt(source, isSmaller) : null))
    .catch(() => null)
    .finally(() => --waiting === 0 && end());
  last = made;
  return made;
}

async function attempt(source: Blob, isSmaller: boolean): Promise<Made> {
  const { thread, remote } = started();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const trouble = new Promise<never>((_, reject) => {
    const fail = () => {
      end();
      reject(new Error('the picture could not be made'));
    };
    thread.onerror = fail;
    timer = setTimeout(fail, PATIENCE_MS);
  });
  try {
    return await Promise.race([remote.make(source, isSmaller), trouble]);
  } finally {
    clearTimeout(timer);
  }
}

function started() {
  if (worker) return worker;
  const thread = new Worker(new URL('./picture-worker.ts', import.meta.url), {
    type: 'module',
    name: 'parley-pictures',
  });
  worker = { thread, remote: wrap<PictureWorker>(thread) };
  return worker;
}

/** With everything that pictures have left in its memory. */
function end(): void {
  worker?.thread.terminate();
  worker = null;
}
