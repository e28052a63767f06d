/** What the server can and cannot know, in plain words; the long form with rules is docs/crypto.md. */
import { ArrowLeft, Check, Eye, EyeOff, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { buttonClass } from '../ui/button.tsx';
import { BuildNumber } from './build-number.tsx';

const SEALED = [
  'What you write, and every edit of it',
  'What a message answers',
  'Which emoji you react with',
  'Names, topics and pictures of groups',
  'Your password: it never leaves your device',
  'The keys that open any of this, and whom you have verified',
];

const SEEN = [
  'Your username, display name, e-mail address and profile picture',
  'Who is in which conversation, with which role, and since when',
  'Who sends when, and roughly how long a message is',
  'Whether it is a message, an edit, a reaction or a deletion; and that two people chose the same emoji, not which',
  'How far you have read, when you are online, when you type',
  'Your devices, their network addresses, and when keys changed',
];

const LIMITS = [
  'This page and all its code come from the server. Whoever controls it could deliver other code to you. The number below lets you compare what you were given.',
  'The first time you meet somebody, the server tells you their keys. Compare safety numbers to be sure that nobody stands in between.',
  'The server can hold messages back, or lose them. It cannot change one, or write one in your name.',
  'Whoever is in a conversation can pass on what they read there.',
  'Whoever knows your password can read everything of your account. Choose a long one.',
];

export default function ServerKnows() {
  return (
    <div className="flex h-full flex-col safe-top">
      <header className="flex h-16 shrink-0 items-center gap-3 border-b border-line px-2 md:px-6">
        <Link href="/" aria-label="Back" className={buttonClass('icon', 'size-11')}>
          <ArrowLeft size={20} aria-hidden />
        </Link>
        <h2 className="text-lg font-semibold">What the server knows</h2>
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto">
        <article className="mx-auto grid max-w-2xl gap-8 px-5 py-8 md:px-8">
          <p className="text-lg text-pretty">
            Your messages are sealed on your device, and opened on the devices of the people you write to. The server
            carries them, and cannot look inside. It still sees that you write. Here is all of it.
          </p>
          <Part
            title="It cannot read"
            icon={<EyeOff size={18} aria-hidden />}
            items={SEALED}
            mark={<Check size={16} />}
          />
          <Part title="It can see" icon={<Eye size={18} aria-hidden />} items={SEEN} />
          <Part title="What no web app can promise" icon={<TriangleAlert size={18} aria-hidden />} items={LIMITS} />
          <BuildNumber />
        </article>
      </div>
    </div>
  );
}

function Part({ title, icon, items, mark }: { title: string; icon: ReactNode; items: string[]; mark?: ReactNode }) {
  return (
    <section aria-label={title}>
      <h3 className="flex items-center gap-2 text-lg font-semibold tracking-tight">
        <span className="text-accent">{icon}</span>
        {title}
      </h3>
      <ul className="mt-3 grid gap-2.5 rounded-lg border border-line bg-raised p-4 shadow-low">
        {items.map((item) => (
          <li key={item} className="flex gap-3">
            <span aria-hidden className="mt-1 grid size-4 shrink-0 place-items-center text-accent">
              {mark ?? <span className="size-1.5 rounded-full bg-current" />}
            </span>
            <span className="text-pretty">{item}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
