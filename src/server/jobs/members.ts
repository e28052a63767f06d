/** Who is in the conversations that people write in just now: read once for many messages. */
import type { Bus } from '../bus/bus.ts';
import type { Sql } from '../db/client.ts';

/** Who comes, or hides himself, on another node may be unknown here for so long. */
const FRESH_MS = 10_000;
/** In all lists together. */
const MOST_PEOPLE = 100_000;

interface List {
  readonly readAt: number;
  /** Undefined until they are known. */
  people: readonly string[] | undefined;
}

export class Members {
  readonly #sql: Sql;
  /** In the order in which they were read. */
  readonly #lists = new Map<string, List>();
  readonly #stop: () => void;
  #people = 0;

  constructor(sql: Sql, bus: Bus) {
    this.#sql = sql;
    this.#stop = bus.observe((message) => {
      if (message.kind !== 'events') return;
      if (message.events.some(({ event }) => event.type === 'participant')) this.#forget(message.conversationId);
    });
  }

  /**
   * Of these conversations the ones in which not everybody is, or may not be, `here`; and those of which it was not known who
   * is in them, so that each is among the answers again and again: what this node cannot know is not believed for long.
   */
  async notAllOf(conversationIds: readonly string[], here: (userId: string) => boolean): Promise<string[]> {
    this.#forgetOld();
    const unknown = new Set(conversationIds.filter((id) => !this.#lists.has(id)));
    await this.#read([...unknown]);
    return conversationIds.filter((id) => unknown.has(id) || !this.#lists.get(id)?.people?.every(here));
  }

  close(): void {
    this.#stop();
    this.#lists.clear();
  }

  /** A list that is forgotten while it is being read stays forgotten: somebody has come meanwhile. */
  async #read(conversationIds: string[]): Promise<void> {
    if (conversationIds.length === 0) return;
    const begun = new Map(conversationIds.map((id) => [id, { readAt: performance.now(), people: undefined } as List]));
    for (const [id, list] of begun) this.#lists.set(id, list);
    const sql = this.#sql;
    const rows = await sql<{ id: string; people: string }[]>`
      select conversation_id as id, string_agg(user_id::text, ',') as people from conversation_participants
      where conversation_id = any(${conversationIds}::uuid[]) and left_at is null group by 1`;
    for (const { id, people } of rows) {
      const list = begun.get(id);
      if (!list || this.#lists.get(id) !== list) continue;
      list.people = people.split(',');
      this.#people += list.people.length;
    }
  }

  #forgetOld(): void {
    const stale = performance.now() - FRESH_MS;
    for (const [id, { readAt }] of this.#lists) {
      if (readAt >= stale && this.#people <= MOST_PEOPLE) return;
      this.#forget(id);
    }
  }

  #forget(conversationId: string): void {
    this.#people -= this.#lists.get(conversationId)?.people?.length ?? 0;
    this.#lists.delete(conversationId);
  }
}
