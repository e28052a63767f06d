/** Saves a file: fetched, opened and checked as a whole before a byte of it is handed over. */
import { useEffect, useRef, useState } from 'react';
import type { FileView, Progress } from '#client/types';
import { chat } from '../chat.ts';
import { fileProblem } from './problems.ts';

/** The browser has taken it by then. */
const REVOKE_MS = 60_000;

export interface Download {
  progress: Progress | null;
  problem: string | null;
  start: () => void;
  cancel: () => void;
}

export function useDownload(file: FileView): Download {
  const [progress, setProgress] = useState<Progress | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const end = useRef<AbortController>(undefined);
  useEffect(() => () => end.current?.abort(), []);

  async function start(): Promise<void> {
    end.current?.abort();
    const own = new AbortController();
    end.current = own;
    setProblem(null);
    setProgress({ done: 0, total: file.size });
    try {
      save(await chat.fetchFile(file, { onProgress: setProgress, signal: own.signal }), file.name);
    } catch (error) {
      if (!own.signal.aborted) setProblem(fileProblem(error));
    }
    if (end.current === own) setProgress(null);
  }
  return { progress, problem, start: () => void start(), cancel: () => end.current?.abort() };
}

function save(blob: Blob, name: string): void {
  // Whatever it says it is: it is saved, never opened as a page of ours.
  const url = URL.createObjectURL(new Blob([blob], { type: 'application/octet-stream' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), REVOKE_MS);
}
