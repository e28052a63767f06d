/** The history on the screen, virtual both ways. */
import { useCallback, useMemo, useRef, useState } from 'react';
import { Virtualizer, type VirtualizerHandle } from 'virtua';
import { useShallow } from 'zustand/react/shallow';
import { must } from '#lib/must';
import { peekChat, useChat, useMe } from '../chat.ts';
import { tellProblem } from '../ui/toast.tsx';
import { ChangeLines } from './change-lines.tsx';
import { ConversationStart } from './conversation-start.tsx';
import { DayLine, FloatingDay, UnreadLine } from './dividers.tsx';
import { JumpToLatest } from './jump-to-latest.tsx';
import { LoadingPill } from './loading-pill.tsx';
import { MessageRow } from './message-row.tsx';
import { buildRows, type Row } from './rows.ts';
import { Sticky } from './sticky.ts';
import type { Changes } from './use-changes.ts';
import { useGeneration } from './use-generation.ts';
import { type JumpTarget, useJump } from './use-jump.ts';
import { useListScroll } from './use-list-scroll.ts';
import { useReadPosition } from './use-read-position.ts';
import { useRoving } from './use-roving.ts';
import { useShift } from './use-shift.ts';
import { useUnreadLine } from './use-unread-line.ts';

interface Props {
  conversationId: string;
  changes: Changes;
  target: JumpTarget;
  onEscape: () => void;
}

export function MessageList({ conversationId, changes, target, onEscape }: Props) {
  // Everything but the messages themselves, which the rows subscribe to one by one.
  const shape = useChat(
    useShallow((state) => {
      const { byId: _byId, ...rest } = must(state.timelines[conversationId], 'shown once the first page is there');
      return rest;
    }),
  );
  const me = useMe().id;
  const scroller = useRef<HTMLDivElement>(null);
  const list = useRef<VirtualizerHandle>(null);
  const [stick] = useState(() => new Sticky());
  const atEnd = useCallback(() => stick.on, [stick]);
  const unreadAfter = useUnreadLine(conversationId, atEnd);
  const generation = useGeneration(shape.ids);
  const rows = useMemo(() => {
    const timeline = must(peekChat().timelines[conversationId], 'as above');
    return buildRows({ ...timeline, ...shape }, { unreadAfter, me, changes: changes.lines });
  }, [conversationId, shape, unreadAfter, me, changes]);

  const shift = useShift(rows);
  const look = useReadPosition(conversationId, list, rows);
  const roving = useRoving(rows, list, scroller);
  const { flash, underway } = useJump({ conversationId, target, rows, list, stick });
  const { onScroll, onResize, far, day, toLatest } = useListScroll({
    conversationId,
    rows,
    generation,
    lastPending: shape.pending.at(-1),
    loading: shape.loading,
    list,
    scroller,
    stick,
    underway,
    onMove: look,
  });

  return (
    <div className="relative min-h-0 flex-1">
      <FloatingDay text={day} />
      <LoadingPill conversationId={conversationId} loading={shape.loading} problem={shape.problem} />
      <div
        ref={scroller}
        role="log"
        aria-label="Messages"
        aria-live="off"
        onKeyDown={(event) => (event.key === 'Escape' ? onEscape() : roving.onKeyDown(event))}
        onFocus={roving.onFocus}
        className="flex h-full flex-col overflow-x-hidden overflow-y-auto overscroll-contain [overflow-anchor:none]"
      >
        {/* Few messages stand at the bottom, where the next one will appear. */}
        <div className="grow" />
        <Virtualizer
          key={generation}
          ref={list}
          scrollRef={scroller}
          data={rows}
          shift={shift}
          bufferSize={600}
          {...(roving.keepMounted ? { keepMounted: roving.keepMounted } : {})}
          onScroll={onScroll}
          onResize={onResize}
        >
          {(row) => (
            <Item
              key={row.key}
              row={row}
              conversationId={conversationId}
              names={changes.names}
              tabStop={row.key === roving.current}
              flash={row.key === flash}
            />
          )}
        </Virtualizer>
      </div>
      {far && <JumpToLatest conversationId={conversationId} onJump={() => void toLatest().catch(tellProblem)} />}
    </div>
  );
}

interface ItemProps {
  row: Row;
  conversationId: string;
  names: Changes['names'];
  tabStop: boolean;
  flash: boolean;
}

function Item({ row, conversationId, names, tabStop, flash }: ItemProps) {
  switch (row.kind) {
    case 'start':
      return <ConversationStart conversationId={conversationId} />;
    case 'day':
      return <DayLine at={row.at} />;
    case 'unread':
      return <UnreadLine />;
    case 'changes':
      return <ChangeLines lines={row.lines} names={names} />;
    case 'end':
      return <div className="h-3" />;
    case 'message':
      return <MessageRow id={row.key} first={row.first} last={row.last} tabStop={tabStop} flash={flash} />;
  }
}
