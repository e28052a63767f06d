/** Owns other people's public identities: chains verified link by link, and pinned at first sight so that no key is swapped. */
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
import type { Device } from './device.ts';
import type { KeyDirectory } from './directory.ts';
import { KeyringError } from './error.ts';

export interface KnownIdentity {
  record: IdentityRecord;
  fingerprint: Bytes;
}

/** What I saw first, and since then only followed along the chain. */
interface Pin {
  gen: number;
  fingerprint: string;
  verified: boolean;
}

/** People asked for in one call (LIMITS.userIds). */
const BATCH = 100;
const PINS = 'pins';
/** Where somebody's chain is kept as the server gave it, for openPush, which can ask nobody and verifies it again. */
export const identityPlace = (userId: string) => `identity/${userId}`;

export class Identities {
  readonly #directory: KeyDirectory;
  readonly #device: Device;
  readonly #me: () => Me;
  /** By person, in the order of generations. */
  readonly #known = new Map<string, readonly KnownIdentity[]>();
  readonly #coming = new Map<string, Promise<void>>();
  #pins: Map<string, Pin> | undefined;

  constructor(directory: KeyDirectory, device: Device, me: () => Me) {
    this.#directory = directory;
    this.#device = device;
    this.#me = me;
  }

  /** Throws NO_IDENTITY, PIN_MISMATCH, or BAD_IDENTITY. */
  async get(userId: string, gen: number): Promise<KnownIdentity> {
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

  /** Loads whoever is not known yet in as few calls as possible; failures show when someone asks for that person. */
  async prefetch(userIds: Iterable<string>): Promise<void> {
    const missing = [...new Set(userIds)].filter((userId) => !this.#known.has(userId));
    if (missing.length > 0) await this.#load(missing).catch(() => {});
  }

  forget(): void {
    this.#known.clear();
    this.#pins = undefined;
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
    const pins = await this.#loadPins();
    const before = JSON.stringify([...pins]);
    const links = await this.#directory.identities(userIds);
    for (const userId of userIds) {
      const chain = links.filter((link) => link.userId === userId);
      if (chain.length === 0) continue;
      const known = await verifyChain(userId, chain);
      this.#checkPin(pins, userId, known);
      this.#known.set(userId, known);
      if (this.#device.lasting) await this.#keep(userId, chain);
    }
    if (JSON.stringify([...pins]) !== before) await this.#device.put('sealed', PINS, [...pins]);
  }

  async #keep(userId: string, chain: readonly IdentityOfUser[]): Promise<void> {
    const place = identityPlace(userId);
    const kept = await this.#device.get('sealed', place);
    if (JSON.stringify(kept) !== JSON.stringify(chain)) await this.#device.put('sealed', place, chain);
  }

  #checkPin(pins: Map<string, Pin>, userId: string, chain: readonly KnownIdentity[]): void {
    const me = this.#me();
    if (userId === me.userId && !isSame(chain[me.gen], me.fingerprint)) throw new KeyringError('OWN_IDENTITY_MISMATCH');
    const pin = pins.get(userId);
    if (pin && !isSame(chain[pin.gen], fromBase64(pin.fingerprint))) throw new KeyringError('PIN_MISMATCH', userId);
    const latest = chain.at(-1);
    if (!latest || latest.record.gen === pin?.gen) return;
    // A rotation is signed by the pinned key. A reset is signed by nobody I know, so a server could make one itself:
    // until a person can be asked, it is refused.
    const since = pin ? chain.slice(pin.gen + 1) : [];
    if (since.some(({ record }) => record.kind !== 'rotate')) throw new KeyringError('PIN_MISMATCH', userId);
    const verified = pin?.verified === true;
    pins.set(userId, { gen: latest.record.gen, fingerprint: toBase64(latest.fingerprint), verified });
  }

  async #loadPins(): Promise<Map<string, Pin>> {
    this.#pins ??= new Map((await this.#device.get('sealed', PINS)) as [string, Pin][] | undefined);
    return this.#pins;
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
