import { describe, expect, it } from 'vitest';
import { primitives as chosen } from '#crypto/primitives';
import { primitives as node } from '../../src/crypto/primitives.node.ts';
import { primitives as web } from '../../src/crypto/primitives.web.ts';
import { toHex, utf8 } from '../../src/crypto/bytes.ts';

const hex = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const DATA = utf8('Cobblestones are laid one by one.');

it('Node runs on the synchronous implementation', () => {
  expect(chosen.name).toBe('node');
});

describe.each([node, web])('primitives of $name', (one) => {
  it('[P30] SHA-256, HMAC and HKDF give the published results', async () => {
    expect(toHex(await one.sha256(utf8('abc')))).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
    // RFC 4231, test case 2.
    expect(toHex(await one.hmacSha256(utf8('Jefe'), utf8('what do ya want for nothing?')))).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
    // RFC 5869, test cases 1 and 3.
    const ikm = new Uint8Array(22).fill(0x0b);
    const okm = await one.hkdfSha256(ikm, hex('f0f1f2f3f4f5f6f7f8f9'), 42, hex('000102030405060708090a0b0c'));
    expect(toHex(okm)).toBe('3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865');
    expect(toHex(await one.hkdfSha256(ikm, new Uint8Array(0), 42))).toBe(
      '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    );
  });

  it('[P30] Ed25519 gives the published signature and refuses a changed one', async () => {
    // RFC 8032, test 2.
    const seed = hex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb');
    const pub = hex('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c');
    const sig = await one.sign(await one.importSigningKey(seed, pub), hex('72'));
    expect(toHex(sig)).toBe(
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    );
    const key = await one.importVerifyKey(pub);
    expect(await one.verify(key, sig, hex('72'))).toBe(true);
    expect(await one.verify(key, sig, hex('73'))).toBe(false);
  });

  it('AES-GCM opens what it sealed and refuses a changed byte', async () => {
    const key = await one.importAesKey(one.random(32));
    const nonce = one.random(12);
    const sealed = await one.aesGcmEncrypt(key, nonce, DATA);
    expect(await one.aesGcmDecrypt(key, nonce, sealed)).toEqual(DATA);
    sealed[3] = (sealed[3] ?? 0) ^ 1;
    await expect((async () => one.aesGcmDecrypt(key, nonce, sealed))()).rejects.toThrow();
  });

  it('base64 is the standard one, at every length', () => {
    for (let length = 0; length < 40; length++) {
      const bytes = one.random(length);
      expect(one.encodeBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
      expect(one.decodeBase64(one.encodeBase64(bytes))).toEqual(bytes);
    }
  });

  it('a generated sealing key works and a generated signing seed signs', async () => {
    expect(await one.hmacSha512(await one.generateSealKey(), DATA)).toHaveLength(64);
    const { seed, publicKey } = await one.generateSigningSeed();
    const sig = await one.sign(await one.importSigningKey(seed, publicKey), DATA);
    expect(await one.verify(await one.importVerifyKey(publicKey), sig, DATA)).toBe(true);
  });

  it('signing keys whose parts begin with a zero byte import', async () => {
    const seed = new Uint8Array(32);
    seed[31] = 1;
    const pub = await derivePublic(seed);
    expect(await one.sign(await one.importSigningKey(seed, pub), DATA)).toHaveLength(64);
  });
});

it('both implementations agree on every key and ciphertext', async () => {
  const raw = node.random(32);
  expect(await web.hmacSha512(await web.importSealKey(raw), DATA)).toEqual(
    await node.hmacSha512(await node.importSealKey(raw), DATA),
  );
  const nonce = node.random(12);
  const sealed = await web.aesGcmEncrypt(await web.importAesKey(raw), nonce, DATA);
  expect(await node.aesGcmDecrypt(await node.importAesKey(raw), nonce, sealed)).toEqual(DATA);
});

async function derivePublic(seed: Uint8Array): Promise<Uint8Array> {
  const { createPrivateKey, createPublicKey } = await import('node:crypto');
  const der = Buffer.concat([hex('302e020100300506032b657004220420'), seed]);
  const jwk = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })).export({ format: 'jwk' });
  return new Uint8Array(Buffer.from(String(jwk.x), 'base64url'));
}
