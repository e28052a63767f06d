/** Typing: told to whoever is there, stored nowhere, over by itself when it is not refreshed. */
import type { Bus } from '../bus/bus.ts';
import type { Deps } from '../deps.ts';
import { accessConversation, requireActive } from './access.ts';
import { privacyOf } from './privacy.ts';

/** Clients refresh about every 3 s; the viewer's own timer hides after 3 s without news. This is the server's last word. */
const EXPIRY_MS = 6_000;

export class TypingTimers {
  readonly #bus: Bus;
  readonly #running = new Map<string, NodeJS.Timeout>();

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  set(conversationId: string, userId: string, isTyping: boolean): void {
    const key = `${conversationId}/${userId}`;
    const running = this.#running.get(key);
    clearTimeout(running);
    this.#running.delete(key);
    // "Stopped" is told once; "typing" each time, because it is what keeps the viewer's timer going.
    if (!isTyping && !running) return;
    if (isTyping) {
      const timer = setTimeout(() => this.set(conversationId, userId, false), EXPIRY_MS);
      timer.unref();
      this.#running.set(key, timer);
    }
    const signal = { conversationId, userId, isTyping, at: new Date().toISOString() };
    this.#bus.publish({ kind: 'typing', conversationId, signal });
  }

  close(): void {
    for (const timer of this.#running.values()) clearTimeout(timer);
    this.#running.clear();
  }
}

export async function setTyping(
  deps: Deps,
  userId: string,
  { conversationId, isTyping }: { conversationId: string; isTyping: boolean },
): Promise<void> {
  requireActive(await accessConversation(deps.db, userId, conversationId));
  if ((await privacyOf(deps, userId)).typing) deps.typing.set(conversationId, userId, isTyping);
}
