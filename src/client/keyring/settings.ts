/**
 * Owns what follows a person from device to device: pins, sealed under a key that only the person has, and compared and set on the
 * server by version. An older version than one seen before is refused.
 */
import { openSettings, sealSettings } from '#crypto/index';
import { sha256, toBase64 } from '#crypto/verify';
import { Serial } from '#lib/serial';
import type { StoredSettings } from '#protocol/keys';
import type { Me } from './accounts.ts';
import type { Alarms } from './alarms.ts';
import type { Device } from './device.ts';
import type { KeyDirectory } from './directory.ts';
import { KeyringError } from './error.ts';
import { mergeInto, type Pin, type Pins, type PinTable } from './pins.ts';

interface Parts {
  directory: KeyDirectory;
  device: Device;
  pins: Pins;
  alarms: Alarms;
  me: () => Me;
}

/** As it is sealed. Fields that this version does not know are kept: a newer one may have put them there. */
type Blob = Record<string, unknown> & { pins?: Row[] };
type Row = [id: string, gen: number, print: string, reset: number, rev: number, vouchGen?: number, vouchPrint?: string];

const SEEN = 'settings';
/** Other devices of one person write now and then; more in a row is not chance. */
const ATTEMPTS = 5;
/** Of JSON: sealed and in base64 it has to stay under LIMITS.accountSettings. */
const MAX_CHARS = 40_000;

export class Settings {
  readonly #parts: Parts;
  readonly #serial = new Serial();
  /** What is at the server, as far as known. */
  #stored: { version: number; text: string; blob: Blob } = { version: 0, text: '', blob: {} };

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Takes over what the server has. Throws SETTINGS_ROLLBACK. */
  async take(stored: StoredSettings | null): Promise<void> {
    const { alarms, me, pins } = this.#parts;
    const version = stored?.version ?? 0;
    if (version < (await this.#seen())) {
      alarms.raise('settings_rollback');
      throw new KeyringError('SETTINGS_ROLLBACK');
    }
    const { settingsKey, userId } = me();
    // What does not open was sealed under keys that I do not have yet, or not by me: it is not written over.
    const opened = stored ? await openSettings(settingsKey, { userId, version }, stored.data) : undefined;
    const blob = opened as Blob | undefined;
    const table = unpack(blob?.pins ?? []);
    const disputed = await pins.edit((mine) => mergeInto(mine, table));
    if (disputed.length > 0) alarms.raise('split_view');
    this.#stored = { version, text: JSON.stringify(blob), blob: blob ?? {} };
    await this.#see(version);
  }

  /** The newest of all, under the key that will open them once my keys have changed. Undefined while there is nothing to keep. */
  async reseal(nextKey: Uint8Array): Promise<StoredSettings | undefined> {
    return this.#serial.run(SEEN, async () => {
      const { directory, me, pins } = this.#parts;
      await this.take(await directory.readSettings());
      const blob = { ...this.#stored.blob, pins: pack(await pins.table()) };
      if (this.#stored.version === 0 && blob.pins.length === 0) return undefined;
      const version = this.#stored.version + 1;
      return { version, data: await sealSettings(nextKey, { userId: me().userId, version }, blob) };
    });
  }

  /** Reads, puts together, and writes if anything is new here. */
  async sync(): Promise<void> {
    return this.#serial.run(SEEN, async () => {
      const { directory, me } = this.#parts;
      for (let attempt = 1; ; attempt++) {
        await this.take(await directory.readSettings());
        const blob = { ...this.#stored.blob, pins: pack(await this.#parts.pins.table()) };
        const text = JSON.stringify(blob);
        if (text === this.#stored.text || blob.pins.length === 0) return;
        const version = this.#stored.version + 1;
        const { settingsKey, userId } = me();
        try {
          await directory.saveSettings({ version, data: await sealSettings(settingsKey, { userId, version }, blob) });
        } catch (error) {
          const isStale = (error as { reason?: unknown }).reason === 'settings_stale';
          if (!isStale || attempt >= ATTEMPTS) throw error;
          continue;
        }
        await this.#see(version);
        this.#stored = { version, text, blob };
        return;
      }
    });
  }

  /** Of settings under this very key: after a reset of my own keys they begin again. */
  async #seen(): Promise<number> {
    const seen = (await this.#parts.device.get('sealed', SEEN)) as { key: string; version: number } | undefined;
    return seen?.key === (await this.#keyPrint()) ? seen.version : 0;
  }

  async #see(version: number): Promise<void> {
    await this.#parts.device.put('sealed', SEEN, { key: await this.#keyPrint(), version });
  }

  async #keyPrint(): Promise<string> {
    return toBase64(await sha256(this.#parts.me().settingsKey));
  }
}

/** People about whom something was decided first: when not all have a place, the others are first seen anew elsewhere. */
function pack(table: ReadonlyMap<string, Pin>): Row[] {
  const order = [...table].sort(([a, one], [b, other]) => other.rev - one.rev || (a < b ? -1 : 1));
  let chars = 0;
  const rows: Row[] = [];
  for (const [userId, { gen, fingerprint, reset, rev, vouch }] of order) {
    const row: Row = [userId, gen, fingerprint, reset, rev];
    if (vouch) row.push(vouch.gen, vouch.fingerprint);
    chars += JSON.stringify(row).length + 1;
    if (chars > MAX_CHARS) break;
    rows.push(row);
  }
  return rows;
}

function unpack(rows: readonly Row[]): PinTable {
  return new Map(
    rows.map(([userId, gen, fingerprint, reset, rev, vouchGen, vouchPrint]) => {
      const isVouched = vouchGen !== undefined && vouchPrint !== undefined;
      const vouch = isVouched ? { gen: vouchGen, fingerprint: vouchPrint } : null;
      return [userId, { gen, fingerprint, reset, rev, vouch }];
    }),
  );
}
