/** Owns what of files is open on this page: fetched and checked once, shown in many places, and let go of when there are too many. */
import { useCallback, useEffect, useState } from 'react';
import type { FileView, OutgoingFile } from '#client/types';
import { chat } from '../chat.ts';
import { fileProblem } from './problems.ts';

interface Opened {
  url: Promise<string>;
  bytes: number;
  /** Places that show it now. */
  users: number;
}

/** Kept for scrolling back, when nothing shows them. */
const KEPT_BYTES = 48 * 1024 * 1024;

const opened = new Map<string, Opened>();

/** Drops what nobody shows, oldest first. */
function shrink(): void {
  let kept = [...opened.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  for (const [id, one] of opened) {
    if (kept <= KEPT_BYTES) return;
    if (one.users > 0) continue;
    opened.delete(id);
    kept -= one.bytes;
    void one.url.then(URL.revokeObjectURL, () => {});
  }
}

function take(file: FileView): Opened {
  const known = opened.get(file.id);
  const one = known ?? { url: chat.fetchFile(file).then(URL.createObjectURL), bytes: file.size, users: 0 };
  one.users++;
  // At the end, as the newest.
  opened.delete(file.id);
  opened.set(file.id, one);
  if (!known) {
    one.url.catch(() => opened.get(file.id) === one && opened.delete(file.id));
    shrink();
  }
  return one;
}

function giveBack(one: Opened): void {
  one.users--;
  shrink();
}

/** What this page has just sent need not be fetched to be shown. */
export function keepOpen(files: readonly FileView[], sent: readonly OutgoingFile[]): void {
  for (const [i, file] of files.entries()) {
    const blobs = [
      [file, sent[i]?.file],
      [file.thumbnail, sent[i]?.thumbnail?.file],
    ] as const;
    for (const [one, blob] of blobs) {
      if (one && blob)
        opened.set(one.id, { url: Promise.resolve(URL.createObjectURL(blob)), bytes: blob.size, users: 0 });
    }
  }
  shrink();
}

/** Somebody has left: nothing decrypted stays. */
export function forgetFiles(): void {
  for (const { url } of opened.values()) void url.then(URL.revokeObjectURL, () => {});
  opened.clear();
}

export const isOpen = (file: FileView): boolean => opened.has(file.id);

export interface ShownFile {
  /** Null until it has come. */
  url: string | null;
  /** Why it did not come, in words. */
  problem: string | null;
  retry: () => void;
}

interface Outcome {
  id: string | null;
  url: string | null;
  problem: string | null;
}

const NOTHING: Outcome = { id: null, url: null, problem: null };

/** An address of the opened file for as long as this component is there; nothing is fetched before it is wanted. */
export function useFile(file: FileView, wanted = true): ShownFile {
  const [state, setState] = useState<Outcome>(NOTHING);
  const [attempt, setAttempt] = useState(0);
  const { id } = file;
  useEffect(() => {
    if (!wanted) return;
    let isThere = true;
    const one = take(file);
    one.url.then(
      (url) => isThere && setState({ id, url, problem: null }),
      (error: unknown) => isThere && setState({ id, url: null, problem: fileProblem(error) }),
    );
    return () => {
      isThere = false;
      giveBack(one);
    };
    // The same id is the same file for ever.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [id, wanted, attempt]);
  const retry = useCallback(() => {
    setState(NOTHING);
    setAttempt((before) => before + 1);
  }, []);
  // What came of another file is nothing of this one.
  const { url, problem } = state.id === id ? state : NOTHING;
  return { url, problem, retry };
}
