/** Goes to one message: asks for the part of history it stands in, brings it to the middle, and lets it flash. */
import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { VirtualizerHandle } from 'virtua';
import { chat } from '../chat.ts';
import { tellProblem } from '../ui/toast.tsx';
import type { Row } from './rows.ts';
import type { Sticky } from './sticky.ts';

const FLASH_MS = 2_000;

/** A message to go to; a new object each time, so that the same one can be asked for twice. */
export type JumpTarget = { messageId: string } | null;

interface Options {
  conversationId: string;
  target: JumpTarget;
  rows: Row[];
  list: RefObject<VirtualizerHandle | null>;
  /** Whether the list follows its end; a jump ends that. */
  stick: Sticky;
}

export function useJump({ conversationId, target, rows, list, stick }: Options) {
  const [flash, setFlash] = useState<string | null>(null);
  /** Set from the wish until the list stands at it; nothing else may scroll in between. */
  const underway = useRef<string | null>(null);

  useEffect(() => {
    if (!target) return;
    underway.current = target.messageId;
    void chat.jumpTo(conversationId, target.messageId).then(
      () => setFlash(target.messageId),
      (error: unknown) => {
        underway.current = null;
        tellProblem(error);
      },
    );
  }, [target, conversationId]);

  useLayoutEffect(() => {
    const index = flash === null ? -1 : rows.findIndex(({ key }) => key === flash);
    if (index < 0 || underway.current !== flash) return;
    underway.current = null;
    stick.set(false);
    list.current?.scrollToIndex(index, { align: 'center' });
  }, [flash, rows, list, stick]);

  useEffect(() => {
    if (flash === null) return;
    const timer = setTimeout(() => setFlash(null), FLASH_MS);
    return () => clearTimeout(timer);
  }, [flash]);

  return { flash, underway };
}
