/**
 * Owns what this device remembers of other people's keys: those seen first, whom they led to since, and which of them the person
 * has compared. What two devices remember is put together without losing a comparison or going back to older keys.
 */
import { Serial } from '#lib/serial';
import type { Trust } from '../types.ts';
import type { Device } from './device.ts';

interface Key {
  gen: number;
  /** Base64. */
  fingerprint: string;
}

export interface Pin extends Key {
  /** The newest generation that the keys before did not sign; 0 when there is none. */
  reset: number;
  /** The keys that were compared. */
  vouch: Key | null;
  /** Counts what the person has decided: of two memories the later decision stands. */
  rev: number;
}

export type PinTable = Map<string, Pin>;

const PINS = 'pins';

/** Signed successors of what was compared are as good as that; keys that come without a signature are not. */
export function trustOf(pin: Pin | undefined): Trust {
  if (!pin?.vouch) return 'unverified';
  return pin.reset > pin.vouch.gen ? 'changed' : 'verified';
}

export function mergePin(a: Pin, b: Pin): Pin {
  const { gen, fingerprint } = b.gen > a.gen ? b : a;
  const decided = b.rev > a.rev || (b.rev === a.rev && (b.vouch?.gen ?? -1) > (a.vouch?.gen ?? -1)) ? b : a;
  return { gen, fingerprint, reset: Math.max(a.reset, b.reset), vouch: decided.vouch, rev: decided.rev };
}

/** Different keys of one generation: somebody has shown different people to two devices. */
export function contradicts(a: Pin, b: Pin): boolean {
  const keys = [a, a.vouch, b, b.vouch].filter((key) => key !== null);
  return keys.some((one) => keys.some((other) => one.gen === other.gen && one.fingerprint !== other.fingerprint));
}

export class Pins {
  readonly #device: Device;
  readonly #onChanged: () => void;
  readonly #serial = new Serial();
  #table: PinTable | undefined;

  constructor(device: Device, onChanged: () => void) {
    this.#device = device;
    this.#onChanged = onChanged;
  }

  async table(): Promise<ReadonlyMap<string, Pin>> {
    return this.#load();
  }

  /** Edits, and keeps what came of it. What another tab has kept meanwhile is not lost. */
  async edit<T>(edit: (table: PinTable) => T): Promise<T> {
    return this.#serial.run(PINS, async () => {
      // On a copy: an edit that fails half-way has changed nothing.
      const table = new Map(await this.#load());
      const before = JSON.stringify([...table]);
      const result = edit(table);
      if (JSON.stringify([...table]) === before) return result;
      mergeInto(table, await this.#kept());
      this.#table = table;
      await this.#device.put('sealed', PINS, [...table]);
      this.#onChanged();
      return result;
    });
  }

  /** What another tab has kept. */
  async reread(): Promise<void> {
    const kept = await this.#kept();
    await this.edit((table) => mergeInto(table, kept));
    this.#onChanged();
  }

  forget(): void {
    this.#table = undefined;
  }

  async #load(): Promise<PinTable> {
    this.#table ??= await this.#kept();
    return this.#table;
  }

  async #kept(): Promise<PinTable> {
    const kept = (await this.#device.get('sealed', PINS)) as [string, Key & Partial<Pin>][] | undefined;
    return new Map(kept?.map(([userId, pin]) => [userId, { reset: 0, vouch: null, rev: 0, ...pin }]));
  }
}

/** @returns those about whom the two do not agree; for them what was there before stays, unless only the other was compared. */
export function mergeInto(table: PinTable, others: ReadonlyMap<string, Pin>): string[] {
  const disputed: string[] = [];
  for (const [userId, theirs] of others) {
    const mine = table.get(userId);
    const isDisputed = mine !== undefined && contradicts(mine, theirs);
    if (isDisputed) disputed.push(userId);
    if (isDisputed && (mine.vouch || !theirs.vouch)) continue;
    if (isDisputed) table.set(userId, theirs);
    else table.set(userId, mine ? mergePin(mine, theirs) : theirs);
  }
  return disputed;
}
