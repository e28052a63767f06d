/** Owns what a person decides about somebody's keys: comparing them, taking that back, and what is to be shown of it. */
import { safetyNumber } from '#crypto/index';
import { type Bytes, toBase64 } from '#crypto/verify';
import { must } from '#lib/must';
import type { Alarm, SafetyNumber, Trust } from '../types.ts';
import type { Me } from './accounts.ts';
import type { Alarms } from './alarms.ts';
import { KeyringError } from './error.ts';
import type { Identities } from './identities.ts';
import { type Pin, type Pins, trustOf } from './pins.ts';

export type { SafetyNumber } from '../types.ts';

export interface TrustReport {
  /** Everybody who is not `unverified`. */
  trust: Record<string, Exclude<Trust, 'unverified'>>;
  alarms: Alarm[];
}

interface Parts {
  identities: Identities;
  pins: Pins;
  alarms: Alarms;
  me: () => Me;
}

const CODE = 'PARLEY1';

export class TrustKeeper {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async report(): Promise<TrustReport> {
    const trust: TrustReport['trust'] = {};
    for (const [userId, pin] of await this.#parts.pins.table()) {
      const state = trustOf(pin);
      if (state !== 'unverified') trust[userId] = state;
    }
    return { trust, alarms: this.#parts.alarms.raised };
  }

  async recheck(userIds: readonly string[]): Promise<void> {
    const { identities, pins } = this.#parts;
    const table = await pins.table();
    const compared = userIds.filter((userId) => table.get(userId)?.vouch);
    if (compared.length > 0) await identities.current(compared);
  }

  async safetyNumber(userId: string): Promise<SafetyNumber> {
    const theirs = await this.#current(userId);
    const mine = this.#parts.me().fingerprint;
    const state = trustOf((await this.#parts.pins.table()).get(userId));
    return { number: await safetyNumber(mine, theirs), code: codeOf(mine, theirs), state };
  }

  async matchesCode(userId: string, code: string): Promise<boolean> {
    return code === codeOf(await this.#current(userId), this.#parts.me().fingerprint);
  }

  async verify(userId: string, number: string): Promise<void> {
    const theirs = await this.#current(userId);
    if (number !== (await safetyNumber(this.#parts.me().fingerprint, theirs))) {
      throw new KeyringError('contact_changed', userId);
    }
    await this.#decide(userId, ({ gen, fingerprint }) => ({ gen, fingerprint }), toBase64(theirs));
  }

  async unverify(userId: string): Promise<void> {
    await this.#decide(userId, () => null);
  }

  async #decide(userId: string, vouch: (pin: Pin) => Pin['vouch'], expected?: string): Promise<void> {
    await this.#parts.pins.edit((table) => {
      const pin = must(table.get(userId), 'pinned when their keys were asked for');
      if (expected !== undefined && pin.fingerprint !== expected) throw new KeyringError('contact_changed', userId);
      table.set(userId, { ...pin, vouch: vouch(pin), rev: pin.rev + 1 });
    });
  }

  async #current(userId: string): Promise<Bytes> {
    const people = await this.#parts.identities.current([userId]);
    return must(people.get(userId), 'asked for').fingerprint;
  }
}

/** What one screen shows and the other reads: whose code it is first, then with whom. */
const codeOf = (own: Bytes, other: Bytes): string => `${CODE} ${toBase64(own)} ${toBase64(other)}`;
