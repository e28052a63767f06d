/** Owns what of files is open on this page: fetched and checked once, shown in many places, and let go of when there are too many. */
import { useCallback, useEffect, useState } from 'react';
import type { FileView, OutgoingFile } from '#client/types';
import { chat } from '../chat.ts';
import { fileProblem } from './problems.ts';

interface Opened {
  readonly name: string;
  readonly url: Promise<string>;
  /** Until it has come: how to give it up. */
  end: AbortController | null;
  readonly bytes: number;
  /** Places that show it now. */
  users: number;
}

/** Kept for scrolling back, when nothing shows them. */
const KEPT_BYTES = 48 * 1024 * 1024;

const opened = new Map<string, Opened>();

/** A message can name any file, with another key and as something else: that is another file to us. */
const nameOf = ({ conversationId, id, key, mime }: FileView): string => `${conversationId} ${id} ${key} ${mime}`;

/** Drops what nobody shows, oldest first. */
function shrink(): void {
  let kept = [...opened.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  for (const [name, one] of opened) {
    if (kept <= KEPT_BYTES) return;
    if (one.users > 0) continue;
    opened.delete(name);
    kept -= one.bytes;
    void one.url.then(URL.revokeObjectURL, () => {});
  }
}

function take(file: FileView): Opened {
  const known = opened.get(nameOf(file));
  const one = known ?? fetched(file);
  one.users++;
  // At the end, as the newest.
  opened.delete(one.name);
  opened.set(one.name, one);
  if (!known) shrink();
  return one;
}

function fetched(file: FileView): Opened {
  const [name, end] = [nameOf(file), new AbortController()];
  const url = chat.fetchFile(file, { signal: end.signal }).then(URL.createObjectURL);
  const one: Opened = { name, url, end, bytes: file.size, users: 0 };
  url.then(
    () => (one.end = null),
    () => drop(one),
  );
  return one;
}

function drop(one: Opened): void {
  if (opened.get(one.name) === one) opened.delete(one.name);
}

/** What nobody waits for any more is not fetched to its end: whoever scrolls through a year of pictures wants none of them. */
function giveBack(one: Opened): void {
  one.users--;
  if (one.users === 0 && one.end) {
    drop(one);
    one.end.abort();
  }
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
      if (!one || !blob) continue;
      const name = nameOf(one);
      opened.set(name, {
        name,
        url: Promise.resolve(URL.createObjectURL(blob)),
        end: null,
        bytes: blob.size,
        users: 0,
      });
    }
  }
  shrink();
}

/** Somebody has left: nothing decrypted stays. */
export function forgetFiles(): void {
  for (const { url } of opened.values()) void url.then(URL.revokeObjectURL, () => {});
  opened.clear();
}

export const isOpen = (file: FileView): boolean => opened.has(nameOf(file));

export interface ShownFile {
  /** Null until it has come. */
  url: string | null;
  /** Why it did not come, in words. */
  problem: string | null;
  retry: () => void;
}

interface Outcome {
  name: string | null;
  url: string | null;
  problem: string | null;
}

const NOTHING: Outcome = { name: null, url: null, problem: null };

/** An address of the opened file for as long as this component is there; nothing is fetched before it is wanted. */
export function useFile(file: FileView, wanted = true): ShownFile {
  const [state, setState] = useState<Outcome>(NOTHING);
  const [attempt, setAttempt] = useState(0);
  const name = nameOf(file);
  useEffect(() => {
    if (!wanted) return;
    let isThere = true;
    const one = take(file);
    one.url.then(
      (url) => isThere && setState({ name, url, problem: null }),
      (error: unknown) => isThere && setState({ name, url: null, problem: fileProblem(error) }),
    );
    return () => {
      isThere = false;
      giveBack(one);
    };
    // The same name is the same file for ever.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [name, wanted, attempt]);
  const retry = useCallback(() => {
    setState(NOTHING);
    setAttempt((before) => before + 1);
  }, []);
  // What came of another file is nothing of this one.
  const { url, problem } = state.name === name ? state : NOTHING;
  return { url, problem, retry };
}
