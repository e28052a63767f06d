/** The versions that were published on this node, by conversation: each version of a conversation is told by exactly one event. */
import type { BusMessage } from '../bus/bus.ts';

export class Published {
  readonly #versions = new Map<string, Set<number>>();

  note(message: BusMessage & { kind: 'events' }): void {
    let versions = this.#versions.get(message.conversationId);
    if (!versions) this.#versions.set(message.conversationId, (versions = new Set()));
    for (const { version } of message.events) versions.add(version);
  }

  has(conversationId: string, version: number): boolean {
    return this.#versions.get(conversationId)?.has(version) ?? false;
  }

  /** Takes over what was published before. */
  add(earlier: Published): void {
    for (const [conversationId, versions] of earlier.#versions) {
      const mine = this.#versions.get(conversationId);
      if (mine) for (const version of versions) mine.add(version);
      else this.#versions.set(conversationId, versions);
    }
  }

  clear(): void {
    this.#versions.clear();
  }
}
