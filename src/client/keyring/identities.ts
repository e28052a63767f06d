/** Owns other people's public identities: chains verified link by link, and held against what is pinned, so that no key is swapped. */
import {
  type Bytes,
  bytesEqual,
  fingerprint,
  fromBase64,
  type IdentityRecord,
  type SignedIdentity,
  toBase64,
  verifyIdentity,
} from '#crypto/verify';
import type { IdentityOfUser } from '#protocol/keys';
import type { Me } from './accounts.ts';
import type { Alarms } from './alarms.ts';
import type { Device } from './device.ts';
import type { KeyDirectory } from './directory.ts';
import { KeyringError } from './error.ts';
import { type Pins, type PinTable, trustOf } from './pins.ts';

export interface KnownIdentity {
  record: IdentityRecord;
  fingerprint: Bytes;
}

interface Parts {
  directory: KeyDirectory;
  device: Device;
  pins: Pins;
  alarms: Alarms;
  me: () => Me;
}

/** People asked for in one call: with what is known of them, as many as fit into an address (api.ts). */
const BATCH = 70;
/** Where somebody's chain is kept as the server gave it, for openPush, which can ask nobody and verifies it again. */
export const identityPlace = (userId: string) => `identity/${userId}`;

export class Identities {
  readonly #parts: Parts;
  /** By person, in the order of generations. */
  readonly #known = new Map<string, readonly KnownIdentity[]>();
  readonly #coming = new Map<string, Promise<void>>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Throws NO_IDENTITY, PIN_MISMATCH, BAD_IDENTITY, or OWN_IDENTITY_ROLLBACK. */
  async get(userId: string, gen: number): Promise<KnownIdentity> {
    this.#refuseNewerMe(userId, gen);
    const known = this.#known.get(userId)?.[gen];
    if (known) return known;
    await this.#load([userId]);
    const loaded = this.#known.get(userId)?.[gen];
    if (!loaded) throw new KeyringError('NO_IDENTITY', userId);
    return loaded;
  }

  /** As the server knows them now, asked anew. */
  async current(userIds: readonly string[]): Promise<Map<string, KnownIdentity>> {
    await this.#load(userIds);
    return new Map(
      userIds.map((userId) => {
        const latest = this.#known.get(userId)?.at(-1);
        if (!latest) throw new KeyringError('NO_IDENTITY', userId);
        return [userId, latest];
      }),
    );
  }

  /** Nothing goes to somebody whose keys were compared and have been replaced since. Throws contact_changed. */
  async refuseChanged(members: { has(userId: string): boolean }): Promise<void> {
    for (const [userId, pin] of await this.#parts.pins.table()) {
      if (trustOf(pin) === 'changed' && members.has(userId)) throw new KeyringError('contact_changed', userId);
    }
  }

  /** Loads whoever is not known yet in as few calls as possible; failures show when someone asks for that person. */
  async prefetch(userIds: Iterable<string>): Promise<void> {
    const missing = [...new Set(userIds)].filter((userId) => !this.#known.has(userId));
    if (missing.length > 0) await this.#load(missing).catch(() => {});
  }

  forget(): void {
    this.#known.clear();
  }

  async #load(userIds: readonly string[]): Promise<void> {
    const waiting = new Set<Promise<void>>();
    const wanted = userIds.filter((userId) => {
      const coming = this.#coming.get(userId);
      if (coming) waiting.add(coming);
      return !coming;
    });
    for (let i = 0; i < wanted.length; i += BATCH) {
      const batch = wanted.slice(i, i + BATCH);
      const loading = this.#fetch(batch).finally(() => {
        for (const userId of batch) this.#coming.delete(userId);
      });
      for (const userId of batch) this.#coming.set(userId, loading);
      waiting.add(loading);
    }
    await Promise.all(waiting);
  }

  async #fetch(userIds: string[]): Promise<void> {
    const { device, directory, pins } = this.#parts;
    const links = await directory.identities(userIds, this.#gens(userIds));
    const found: [string, IdentityOfUser[], readonly KnownIdentity[]][] = [];
    const same: [string, readonly KnownIdentity[]][] = [];
    for (const userId of userIds) {
      const chain = links.filter((link) => link.userId === userId);
      const known = this.#known.get(userId);
      if (chain.length > 0) found.push([userId, chain, await verifyChain(userId, chain)]);
      else if (known) same.push([userId, known]);
    }
    await pins.edit((table) => {
      for (const [userId, , known] of found) this.#checkPin(table, userId, known);
      // Said to be as they were: another device of mine may have seen more.
      for (const [userId, known] of same) this.#checkPin(table, userId, known);
    });
    for (const [userId, , known] of found) this.#known.set(userId, known);
    if (device.lasting) for (const [userId, chain] of found) await this.#keep(userId, chain);
  }

  /** A thousand people whose keys have not changed are one short answer, and are not verified again. */
  #gens(userIds: readonly string[]): Record<string, number> {
    return Object.fromEntries(
      userIds.flatMap((userId) => {
        const latest = this.#known.get(userId)?.at(-1);
        return latest ? [[userId, latest.record.gen]] : [];
      }),
    );
  }

  async #keep(userId: string, chain: readonly IdentityOfUser[]): Promise<void> {
    const place = identityPlace(userId);
    const { device } = this.#parts;
    const kept = await device.get('sealed', place);
    if (JSON.stringify(kept) !== JSON.stringify(chain)) await device.put('sealed', place, chain);
  }

  #checkPin(pins: PinTable, userId: string, chain: readonly KnownIdentity[]): void {
    const me = this.#parts.me();
    if (userId === me.userId && !isSame(chain[me.gen], me.fingerprint)) {
      this.#parts.alarms.raise('foreign_identity');
      throw new KeyringError('OWN_IDENTITY_MISMATCH');
    }
    const pin = pins.get(userId);
    for (const key of [pin, pin?.vouch]) {
      if (key && !isSame(chain[key.gen], fromBase64(key.fingerprint))) throw new KeyringError('PIN_MISMATCH', userId);
    }
    const latest = chain.at(-1);
    if (!latest || latest.record.gen === pin?.gen) return;
    const { gen } = latest.record;
    // A rotation is signed by the keys before. A reset is signed by nobody I know, so a server could make one itself.
    const reset = chain.findLast(({ record }) => record.kind === 'reset')?.record.gen ?? 0;
    const { vouch = null, rev = 0 } = pin ?? {};
    pins.set(userId, { gen, fingerprint: toBase64(latest.fingerprint), reset, vouch, rev });
  }

  /** Somebody has vouched for keys as mine that I do not have. */
  #refuseNewerMe(userId: string, gen: number): void {
    const me = this.#parts.me();
    if (userId !== me.userId || gen <= me.gen) return;
    this.#parts.alarms.raise('own_identity_rollback');
    throw new KeyringError('OWN_IDENTITY_ROLLBACK');
  }
}

async function verifyChain(userId: string, chain: readonly IdentityOfUser[]): Promise<KnownIdentity[]> {
  const known: KnownIdentity[] = [];
  let previous: SignedIdentity | undefined;
  for (const { record, selfSig, prevSig } of [...chain].sort((a, b) => a.gen - b.gen)) {
    const signed: SignedIdentity = {
      record: fromBase64(record),
      selfSig: fromBase64(selfSig),
      prevSig: prevSig === null ? null : fromBase64(prevSig),
    };
    const verified = await verifyIdentity(signed, previous);
    if (verified.userId !== userId) throw new KeyringError('NO_IDENTITY', userId);
    known.push({ record: verified, fingerprint: await fingerprint(verified) });
    previous = signed;
  }
  return known;
}

const isSame = (known: KnownIdentity | undefined, expected: Uint8Array): boolean =>
  known !== undefined && bytesEqual(known.fingerprint, expected);
