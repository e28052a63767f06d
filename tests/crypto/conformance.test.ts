/** Every published vector of an algorithm on our path, against the implementation that runs here: node:crypto, or a browser's. */
import { Aes256Gcm, CipherSuite, HkdfSha256 } from '@hpke/core';
import { XWing } from '@hpke/hybridkem-x-wing';
import { MlKem768 } from 'mlkem';
import { expect, it } from 'vitest';
import { primitives } from '#crypto/primitives';
import { bytesEqual, concat, toHex } from '../../src/crypto/bytes.ts';
import { importSealKey, open } from '../../src/crypto/cobblestone.ts';
import { hpkeOpen, kemKeyPair } from '../../src/crypto/hpke.ts';
import { hex, published, type Wycheproof } from './published.ts';

interface Box {
  key: string;
  ctx: string;
  ct: string;
  msgLength: number;
  msgSha512: string;
}
const boxes = published<Wycheproof<Box>>('c2sp256');
it.runIf(boxes)('chunked encryption', async () => {
  const tests = (await boxes?.())?.testGroups.flatMap((group) => group.tests) ?? [];
  for (const { key, ctx, ct, tcId, ...test } of tests) {
    const box = await inflated(ct);
    const opened = (async () => open(await importSealKey(hex(key)), hex(ctx), box))();
    if (test.result === 'invalid') {
      await expect(opened, `case ${tcId}`).rejects.toMatchObject({ name: 'CryptoError' });
      continue;
    }
    const plaintext = await opened;
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-512', plaintext));
    expect([plaintext.length, toHex(digest)], `case ${tcId}`).toEqual([test.msgLength, test.msgSha512]);
  }
  expect(tests.length).toBeGreaterThan(30);
});

const gcm = published<Wycheproof<Record<'key' | 'iv' | 'aad' | 'msg' | 'ct' | 'tag', string>>>('wp_aes_gcm');
it.runIf(gcm)('AES-256-GCM', async () => {
  let count = 0;
  for (const test of (await gcm?.())?.testGroups.flatMap((group) => group.tests) ?? []) {
    // What a box is made of: 256 bits of key, 96 of nonce, the whole tag, nothing beside.
    if (test.key.length !== 64 || test.iv.length !== 24 || test.tag.length !== 32 || test.aad !== '') continue;
    count++;
    const key = await primitives.importAesKey(hex(test.key));
    const sealed = concat(hex(test.ct), hex(test.tag));
    const opened = (async () => toHex(await primitives.aesGcmDecrypt(key, hex(test.iv), sealed)))();
    if (test.result === 'invalid') await expect(opened, `case ${test.tcId}`).rejects.toThrow();
    else expect(await opened, `case ${test.tcId}`).toBe(test.msg);
  }
  expect(count).toBeGreaterThan(20);
});

const hkdf =
  published<Wycheproof<{ ikm: string; salt: string; info: string; size: number; okm: string }>>('wp_hkdf_sha256');
it.runIf(hkdf)('HKDF-SHA-256', async () => {
  const tests = (await hkdf?.())?.testGroups.flatMap((group) => group.tests) ?? [];
  for (const { ikm, salt, info, size, okm, result, tcId } of tests) {
    const derived = (async () => toHex(await primitives.hkdfSha256(hex(ikm), hex(info), size, hex(salt))))();
    if (result === 'invalid') await expect(derived, `case ${tcId}`).rejects.toThrow();
    else expect(await derived, `case ${tcId}`).toBe(okm);
  }
  expect(tests.length).toBeGreaterThan(80);
});

type Mac = Record<'key' | 'msg' | 'tag', string>;
const mac512 = published<Wycheproof<Mac, { tagSize: number }>>('wp_hmac_sha512');
const mac256 = published<Wycheproof<Mac, { tagSize: number }>>('wp_hmac_sha256');
it.runIf(mac512 && mac256)('HMAC', async () => {
  let count = 0;
  const check = async (group: { tagSize: number }, test: Mac & { result: string }, made: Uint8Array) => {
    count++;
    const fits = bytesEqual(made.slice(0, group.tagSize / 8), hex(test.tag));
    expect(fits).toBe(test.result === 'valid');
  };
  for (const group of (await mac512?.())?.testGroups ?? []) {
    for (const test of group.tests) {
      // The only length a sealing key has.
      if (test.key.length !== 64) continue;
      await check(
        group,
        test,
        await primitives.hmacSha512(await primitives.importSealKey(hex(test.key)), hex(test.msg)),
      );
    }
  }
  for (const group of (await mac256?.())?.testGroups ?? []) {
    for (const test of group.tests) await check(group, test, await primitives.hmacSha256(hex(test.key), hex(test.msg)));
  }
  expect(count).toBeGreaterThan(100);
});

const eddsa = published<Wycheproof<{ msg: string; sig: string }, { publicKey: { pk: string } }>>('wp_ed25519');
it.runIf(eddsa)('Ed25519', async () => {
  let count = 0;
  for (const { publicKey, tests } of (await eddsa?.())?.testGroups ?? []) {
    const key = await primitives.importVerifyKey(hex(publicKey.pk));
    for (const { msg, sig, result, tcId } of tests) {
      count++;
      // A signature of a wrong length may throw instead.
      const holds = await (async () => primitives.verify(key, hex(sig), hex(msg)))().catch(() => false);
      expect(holds, `case ${tcId}`).toBe(result === 'valid');
    }
  }
  expect(count).toBeGreaterThan(140);
});

const mlkem = published<Wycheproof<Record<'seed' | 'c' | 'K' | 'ek', string>>>('wp_mlkem_768');
const encaps = published<Wycheproof<Record<'m' | 'ek' | 'c' | 'K', string>>>('wp_mlkem_768_encaps');
const keygen = published<Wycheproof<Record<'seed' | 'ek', string>>>('wp_mlkem_768_keygen_seed');
it.runIf(mlkem && encaps && keygen)('ML-KEM-768', async () => {
  const kem = new MlKem768();
  const tests = (await mlkem?.())?.testGroups.flatMap((group) => group.tests) ?? [];
  for (const { seed, c, K, ek, result, tcId } of tests) {
    const decapsulated = (async () => {
      const [publicKey, privateKey] = await kem.deriveKeyPair(hex(seed));
      if (ek) expect(toHex(publicKey)).toBe(ek);
      return toHex(await kem.decap(hex(c), privateKey));
    })();
    if (result === 'invalid') await expect(decapsulated, `case ${tcId}`).rejects.toThrow();
    else expect(await decapsulated, `case ${tcId}`).toBe(K);
  }
  for (const { m, ek, c, K, result, tcId } of (await encaps?.())?.testGroups.flatMap((group) => group.tests) ?? []) {
    const encapsulated = (async () => (await kem.encap(hex(ek), hex(m))).map(toHex))();
    if (result === 'invalid') await expect(encapsulated, `case ${tcId}`).rejects.toThrow();
    else expect(await encapsulated, `case ${tcId}`).toEqual([c, K]);
  }
  for (const { seed, ek } of (await keygen?.())?.testGroups.flatMap((group) => group.tests) ?? []) {
    expect(toHex((await kem.deriveKeyPair(hex(seed)))[0])).toBe(ek);
  }
  expect(tests.length).toBeGreaterThan(100);
});

const xwing = published<Record<'seed' | 'eseed' | 'pk' | 'ct' | 'ss', string>[]>('xwing');
it.runIf(xwing)('X-Wing', async () => {
  const vectors = (await xwing?.()) ?? [];
  const kem = new XWing();
  for (const vector of vectors) {
    const { privateKey, publicKey } = await kemKeyPair(hex(vector.seed));
    expect(toHex(publicKey)).toBe(vector.pk);
    const secret = await kem.decap({ recipientKey: privateKey, enc: hex(vector.ct).buffer });
    expect(toHex(new Uint8Array(secret))).toBe(vector.ss);
  }
  expect(vectors.length).toBeGreaterThan(0);
});

interface HpkeVector
  extends Record<'info' | 'ikmR' | 'skRm' | 'pkRm' | 'enc' | 'shared_secret' | 'exporter_secret', string> {
  mode: number;
  kem_id: number;
  kdf_id: number;
  aead_id: number;
  encryptions: Record<'aad' | 'ct' | 'nonce' | 'pt', string>[];
}
const X_WING = 0x647a;
const hpke = published<HpkeVector[]>('hpke_pq');
it.runIf(hpke)('HPKE with X-Wing', async () => {
  const vectors = ((await hpke?.()) ?? []).filter(({ kem_id }) => kem_id === X_WING);
  for (const vector of vectors) {
    const { privateKey, publicKey } = await kemKeyPair(hex(vector.skRm));
    expect(toHex(publicKey)).toBe(vector.pkRm);
    const kem = new XWing();
    const secret = await kem.decap({ recipientKey: privateKey, enc: hex(vector.enc).buffer });
    expect(toHex(new Uint8Array(secret))).toBe(vector.shared_secret);
    const ours = vector.mode === 0 && vector.kdf_id === 1 && vector.aead_id === 2;
    if (!ours) continue;
    const suite = new CipherSuite({ kem, kdf: new HkdfSha256(), aead: new Aes256Gcm() });
    const recipient = await suite.createRecipientContext({
      recipientKey: privateKey,
      enc: hex(vector.enc),
      info: hex(vector.info),
    });
    for (const { ct, aad, pt } of vector.encryptions)
      expect(toHex(new Uint8Array(await recipient.open(hex(ct), hex(aad))))).toBe(pt);
    const first = vector.encryptions.find(({ aad }) => aad === '');
    if (first)
      expect(toHex(await hpkeOpen(privateKey, hex(vector.info), concat(hex(vector.enc), hex(first.ct))))).toBe(
        first.pt,
      );
  }
  expect(vectors.length).toBeGreaterThan(0);
});

async function inflated(text: string): Promise<Uint8Array> {
  const stream = new Blob([hex(text)]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
