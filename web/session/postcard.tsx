/** A glimpse of the product for whoever stands at the door. A picture only, so hidden from screen readers. */
import { CheckCheck, Lock } from 'lucide-react';
import { Avatar } from '../ui/avatar.tsx';

const LINES = [
  { from: 'Amira', text: 'Is anybody else reading this?' },
  { from: 'me', text: 'Only you and me. Not even the server.' },
  { from: 'Amira', text: 'Then I can finally tell you about the surprise party' },
  { from: 'me', text: '…the party for me? 👀' },
  { from: 'Amira', text: 'Oh no' },
];

export function Postcard() {
  return (
    <aside aria-hidden className="hidden bg-brand p-10 text-on-brand lg:grid lg:place-items-center">
      <div className="w-full max-w-md">
        <div className="grid gap-2 text-base">
          {LINES.map(({ from, text }, index) => (
            <div key={text} className={from === 'me' ? 'flex justify-end' : 'flex items-end gap-2'}>
              {from !== 'me' &&
                (LINES[index + 1]?.from === from ? <span className="w-8" /> : <Avatar id="a" name={from} size="sm" />)}
              <p
                className={
                  from === 'me'
                    ? 'flex items-end gap-2 rounded-xl rounded-br-xs bg-apricot px-4 py-2 text-on-apricot'
                    : 'rounded-xl rounded-bl-xs bg-[#2b6f5c] px-4 py-2'
                }
              >
                {text}
                {from === 'me' && <CheckCheck size={16} className="mb-1" />}
              </p>
            </div>
          ))}
        </div>
        <h2 className="mt-12 text-2xl font-semibold tracking-tight text-balance">A quiet place to talk.</h2>
        <p className="mt-3 flex items-start gap-2 text-base text-brand-muted">
          <Lock size={17} className="mt-1 shrink-0" />
          Everything you write is locked on your device and opened only on theirs.
        </p>
      </div>
    </aside>
  );
}
