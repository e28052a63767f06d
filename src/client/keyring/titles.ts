/** Owns the memory of what groups are called and look like: the newest that verified, kept on the device, so that none comes back from the past. */
import { Serial } from '#lib/serial';
import type { Naming } from '../types.ts';
import type { Device } from './device.ts';

export interface OpenedTitle {
  title: string | null;
  topic: string | null;
  /** A data URL of a small picture. */
  avatar: string | null;
  naming: Naming | null;
  /** Of the envelope; -1 when there is none. */
  revision: number;
}

interface Known extends OpenedTitle {
  /** base64 of the envelope's hash. */
  hash: string;
}

/** Before the first one that verified. */
export const NO_TITLE = { title: null, topic: null, avatar: null, naming: null };

export class Titles {
  readonly #device: Device;
  readonly #known = new Map<string, Known>();
  readonly #serial = new Serial();

  constructor(device: Device) {
    this.#device = device;
  }

  /** What counts: this one if it is newer, and what was known before if it is older, or another one of the same number. */
  newest(conversationId: string, opened: Known): Promise<OpenedTitle> {
    return this.#serial.run(conversationId, async () => {
      const known = await this.known(conversationId);
      if (known && opened.revision <= known.revision) return known;
      this.#known.set(conversationId, opened);
      if (this.#device.lasting) await this.#device.put('sealed', place(conversationId), opened);
      return opened;
    });
  }

  async known(conversationId: string): Promise<Known | undefined> {
    const known = this.#known.get(conversationId);
    if (known) return known;
    const kept = (await this.#device.get('sealed', place(conversationId))) as Known | undefined;
    // One that was kept before groups had pictures says nothing of one.
    if (kept) this.#known.set(conversationId, { ...NO_TITLE, ...kept });
    return this.#known.get(conversationId);
  }

  forget(): void {
    this.#known.clear();
  }
}

const place = (conversationId: string) => `title/${conversationId}`;
