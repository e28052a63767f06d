/** Typing: told to whoever is there, stored nowhere, over by itself when it is not refreshed. */
import type { Bus } from '../bus/bus.ts';
import type { Deps } from '../deps.ts';
import { accessConversation, requireActive } from './access.ts';
import { privacyOf } from './privacy.ts';

/** Clients refresh about every 3 s; the viewer's own timer hides after 3 s without news. This is the server's last word. */
const EXPIRY_MS = 6_000;

export class TypingTimers {
  readonly #bus: Bus;
  /** How to give up the last word. */
  readonly #running = new Map<string, () => void>();

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /** Told each time: "typing" keeps the viewer's timer going, and the start of a "stopped" may be known to another node only. */
  set(conversationId: string, userId: string, isTyping: boolean): void {
    const key = `${conversationId}/${userId}`;
    this.#running.get(key)?.();
    const signal = { conversationId, userId, isTyping, at: new Date().toISOString() };
    this.#bus.publish({ kind: 'typing', conversationId, signal });
    if (!isTyping) return;
    const timer = setTimeout(() => this.set(conversationId, userId, false), EXPIRY_MS).unref();
    const giveUp = () => {
      clearTimeout(timer);
      unsubscribe();
      this.#running.delete(key);
    };
    // Our own word is out already: what is heard from here on is another node's, and the last word with it.
    const unsubscribe = this.#bus.subscribe(`c:${conversationId}`, (message) => {
      if (message.kind === 'typing' && message.signal.userId === userId) giveUp();
    });
    this.#running.set(key, giveUp);
  }

  close(): void {
    for (const giveUp of this.#running.values()) giveUp();
  }
}

export async function setTyping(
  deps: Deps,
  userId: string,
  { conversationId, isTyping }: { conversationId: string; isTyping: boolean },
): Promise<void> {
  // Of who is connected it is known, and people type all the time.
  if (!deps.audience.isIn(userId, conversationId))
    requireActive(await accessConversation(deps.db, userId, conversationId));
  if ((await privacyOf(deps, userId)).typing) deps.typing.set(conversationId, userId, isTyping);
}
