/** The text of a message: links to click, code that keeps its spaces, everything else as it was written. */
import { memo, useMemo } from 'react';
import { cn } from '../ui/cn.ts';
import { isJumbo, type Piece, piecesOf } from './text.ts';

export const MessageBody = memo(function MessageBody({ body, end }: { body: string; end: React.ReactNode }) {
  const pieces = useMemo(() => piecesOf(body), [body]);
  if (isJumbo(body)) {
    return (
      <p className="flex items-end text-[2.5rem] leading-12">
        {body.trim()}
        {end}
      </p>
    );
  }
  return (
    <div dir="auto" className="wrap-anywhere whitespace-pre-wrap">
      {pieces.map((piece, index) => (
        <Part key={index} piece={piece} />
      ))}
      {end}
    </div>
  );
});

function Part({ piece }: { piece: Piece }) {
  switch (piece.kind) {
    case 'text':
      return piece.text;
    case 'code':
      return <code className="rounded-sm bg-ink/8 px-1 py-0.5 font-mono text-[0.9em]">{piece.text}</code>;
    case 'block':
      return (
        <pre
          // A long line scrolls inside its block, which therefore has to be reachable by keyboard.
          // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
          tabIndex={0}
          className={cn('my-1 overflow-x-auto rounded-md bg-ink/8 p-3 font-mono text-sm whitespace-pre')}
        >
          <code>{piece.text}</code>
        </pre>
      );
    case 'link':
      return (
        <a
          href={piece.href}
          target="_blank"
          rel="noopener noreferrer"
          className="text-accent underline decoration-1 underline-offset-3 hover:decoration-2"
        >
          {piece.text}
        </a>
      );
  }
}
