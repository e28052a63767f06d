/** Who I am here, how it looks, and on which devices I am signed in. */
import { ArrowLeft, LogOut } from 'lucide-react';
import type { ReactNode } from 'react';
import { useState } from 'react';
import { Link } from 'wouter';
import { SERVER_KNOWS } from '../about/address.ts';
import { Button, buttonClass } from '../ui/button.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { Devices } from './devices.tsx';
import { leave } from './leave.ts';
import { Notifications } from './notifications.tsx';
import { PasswordAndKeys } from './password-and-keys.tsx';
import { PrivacyChoices } from './privacy.tsx';
import { Profile } from './profile.tsx';
import { ThemeChoice } from './theme-choice.tsx';

export default function Settings() {
  const [leaving, setLeaving] = useState(false);
  return (
    <div className="flex h-full flex-col safe-top">
      <header className="flex h-16 shrink-0 items-center gap-3 border-b border-line px-2 md:px-6">
        <Link href="/" aria-label="Back to conversations" className={buttonClass('icon', 'size-11 md:hidden')}>
          <ArrowLeft size={20} aria-hidden />
        </Link>
        <h2 className="text-lg font-semibold">Settings</h2>
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto">
        <div className="mx-auto grid max-w-2xl gap-8 px-5 py-8 md:px-8">
          <Section title="You" text="This is how others see you.">
            <Profile />
          </Section>
          <Section title="Appearance" text="On this device.">
            <ThemeChoice />
          </Section>
          <Section title="Notifications" text="On this device.">
            <Notifications />
          </Section>
          <Section title="Privacy" text="What others see of you, and you of them.">
            <PrivacyChoices />
            <Link
              href={SERVER_KNOWS}
              className="mt-4 block border-t border-line pt-4 text-sm font-medium text-accent underline-offset-2 hover:underline"
            >
              What the server knows
            </Link>
          </Section>
          <Section title="Password and keys" text="What opens your conversations.">
            <PasswordAndKeys />
          </Section>
          <Section title="Devices" text="Where you are signed in. If one of them is not yours, sign it out.">
            <Devices />
          </Section>
          <div className="border-t border-line pt-6">
            <Button onClick={() => setLeaving(true)}>
              <LogOut size={16} aria-hidden /> Log out
            </Button>
            <p className="mt-2 text-sm text-muted">
              Keys and messages are removed from this browser. Everything is back when you log in again.
            </p>
          </div>
        </div>
      </div>
      <Confirm
        open={leaving}
        onOpenChange={setLeaving}
        title="Log out of this browser?"
        text="You will need your password to come back. Messages that have not been sent yet are lost."
        action="Log out"
        onConfirm={() => void leave()}
      />
    </div>
  );
}

function Section({ title, text, children }: { title: string; text: string; children: ReactNode }) {
  return (
    <section aria-label={title}>
      <h3 className="text-lg font-semibold tracking-tight">{title}</h3>
      <p className="mb-3 text-sm text-muted">{text}</p>
      <div className="rounded-lg border border-line bg-raised p-4 shadow-low">{children}</div>
    </section>
  );
}
