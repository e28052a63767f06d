import { beforeAll, describe, expect, it } from 'vitest';
import {
  changePassword,
  createAccount,
  openSettings,
  type Registration,
  rotateIdentity,
  sealSettings,
  unlockWithPassword,
  unlockWithRecoveryKey,
} from '../../src/crypto/account.ts';
import { fromBase64, random, toBase64 } from '../../src/crypto/bytes.ts';
import { importSealKey } from '../../src/crypto/cobblestone.ts';
import { verifyIdentity } from '../../src/crypto/identity.ts';
import { derivePasswordSecrets, newKdf, type PasswordSecrets } from '../../src/crypto/password.ts';
import { deriveRecoverySecrets, formatRecoveryKey, parseRecoveryKey } from '../../src/crypto/recovery-key.ts';
import { newId, newPerson, NOW } from './people.ts';

const userId = newId();
const PASSWORD = 'correct horse battery ａ';
let registration: Registration;
let secrets: PasswordSecrets;

beforeAll(async () => {
  registration = await createAccount({ userId, password: PASSWORD, createdMs: NOW });
  secrets = await derivePasswordSecrets(PASSWORD.normalize('NFKC'), registration.identity.kdf);
});

const stored = () => ({ identity: registration.identity, keyring: registration.identity.keyring });
const locks = () => registration.identity.wrappedMasterKey;

describe('[P28] the password', () => {
  it('opens the account on a new device, however the keyboard composes it', async () => {
    expect(secrets.authSecret).toBe(registration.authSecret);
    expect(secrets.authSecret).toMatch(/^[A-Za-z0-9_-]{43}$/);
    const account = await unlockWithPassword({ userId, kek: secrets.kek, wrapped: locks().password, stored: stored() });
    expect(account.masterKey).toEqual(registration.account.masterKey);
    expect((await verifyIdentity(account.identity)).userId).toBe(userId);
  });

  it('what the server gets in its place opens nothing', async () => {
    const kek = await importSealKey(fromBase64(`${secrets.authSecret.replaceAll('-', '+').replaceAll('_', '/')}=`));
    const attempt = unlockWithPassword({ userId, kek, wrapped: locks().password, stored: stored() });
    await expect(attempt).rejects.toMatchObject({ code: 'DECRYPT' });
  });

  it('wrong, or of another person, opens nothing', async () => {
    const wrong = await derivePasswordSecrets('wrong', registration.identity.kdf);
    const opening = { userId, wrapped: locks().password, stored: stored() };
    await expect(unlockWithPassword({ ...opening, kek: wrong.kek })).rejects.toMatchObject({ code: 'DECRYPT' });
    const other = unlockWithPassword({ ...opening, userId: newId(), kek: secrets.kek });
    await expect(other).rejects.toMatchObject({ code: 'DECRYPT' });
  });

  it.each([
    ['memory', { m: 65_535 }],
    ['passes', { t: 2 }],
    ['lanes', { p: 0 }],
    ['salt', { salt: toBase64(random(15)) }],
    ['numbers', { m: Number.NaN }],
  ])('a server that asks for too little %s is refused', async (_, change) => {
    const weak = derivePasswordSecrets('x', { ...newKdf(), ...change });
    await expect(weak).rejects.toMatchObject({ code: 'KDF_DOWNGRADE' });
  });

  it('so is one that asks for more than a device has', async () => {
    const heavy = derivePasswordSecrets('x', { ...newKdf(), m: 2 ** 31 });
    await expect(heavy).rejects.toMatchObject({ code: 'KDF_EXCESSIVE' });
  });

  it('changed: only the lock is new', async () => {
    const change = await changePassword(registration.account, 'another one');
    const next = await derivePasswordSecrets('another one', change.kdf);
    expect(next.authSecret).toBe(change.authSecret);
    const opening = { userId, wrapped: change.wrappedMasterKey.password, stored: stored() };
    const account = await unlockWithPassword({ ...opening, kek: next.kek });
    expect(account.masterKey).toEqual(registration.account.masterKey);
    await expect(unlockWithPassword({ ...opening, kek: secrets.kek })).rejects.toMatchObject({ code: 'DECRYPT' });
  });
});

it('[P31] a server that hands back another identity as mine is noticed', async () => {
  const eve = await newPerson({ userId });
  const swapped = { record: toBase64(eve.signed.record), selfSig: toBase64(eve.signed.selfSig) };
  const opening = { userId, kek: secrets.kek, wrapped: locks().password };
  const attempt = unlockWithPassword({
    ...opening,
    stored: { identity: swapped, keyring: registration.identity.keyring },
  });
  await expect(attempt).rejects.toMatchObject({ code: 'OWN_IDENTITY_MISMATCH' });
});

describe('[P28] the recovery key', () => {
  it('opens the account, and proves itself without saying what it is', async () => {
    const { recoveryKey } = registration;
    const account = await unlockWithRecoveryKey({ userId, recoveryKey, wrapped: locks().recovery, stored: stored() });
    expect(account.masterKey).toEqual(registration.account.masterKey);
    const recovery = await deriveRecoverySecrets(recoveryKey);
    expect(toBase64(recovery.verifier)).toBe(registration.identity.recoveryVerifier);
  });

  it('survives being copied by hand, and slips are noticed', async () => {
    const bytes = random(20);
    const text = await formatRecoveryKey(bytes);
    expect(text).toMatch(/^([0-9A-Z]{4}-){8}[0-9A-Z]{2}$/);
    expect(await parseRecoveryKey(text.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o'))).toEqual(bytes);
    await expect(parseRecoveryKey(`${text}0`)).rejects.toMatchObject({ code: 'BAD_RECOVERY_KEY' });
    await expect(parseRecoveryKey('U'.repeat(34))).rejects.toMatchObject({ code: 'BAD_RECOVERY_KEY' });
    // Ten bits of checksum: of a thousand slips one passes, and fails at the master key.
    const slips = [...text].flatMap((char, at) => {
      const other = char === '7' ? '8' : '7';
      return char === '-' ? [] : [`${text.slice(0, at)}${other}${text.slice(at + 1)}`];
    });
    const noticed = await Promise.allSettled(slips.map((slip) => parseRecoveryKey(slip)));
    expect(noticed.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(30);
  });
});

it('[P31] new identity keys are signed by the old and keep the past readable', async () => {
  const rotation = await rotateIdentity(registration.account, secrets.kek, NOW + 1);
  expect(rotation.account.keys.gen).toBe(1);
  expect([...rotation.account.keys.kem.keys()]).toEqual([0, 1]);
  expect(rotation.account.masterKey).not.toEqual(registration.account.masterKey);
  const link = await verifyIdentity(rotation.account.identity, registration.account.identity);
  expect(link.kind).toBe('rotate');
  const account = await unlockWithPassword({
    userId,
    kek: secrets.kek,
    wrapped: rotation.wrappedMasterKey.password,
    stored: { identity: rotation.identity, keyring: rotation.keyring },
  });
  expect(account.keys.gen).toBe(1);
});

it('settings open with the version they were sealed with and no other', async () => {
  const { settingsKey } = registration.account;
  const sealed = await sealSettings(settingsKey, { userId, version: 3 }, { pins: {} });
  expect(await openSettings(settingsKey, { userId, version: 3 }, sealed)).toEqual({ pins: {} });
  const rolledBack = openSettings(settingsKey, { userId, version: 4 }, sealed);
  await expect(rolledBack).rejects.toMatchObject({ code: 'DECRYPT' });
});
