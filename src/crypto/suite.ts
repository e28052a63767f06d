/** Owns which HPKE this is: X-Wing, HKDF-SHA256, AES-256-GCM. */
import { Aes256Gcm, CipherSuite, HkdfSha256 } from '@hpke/core';
import type { XWing } from '@hpke/hybridkem-x-wing';
import { bestXWing } from './x-wing.ts';

export interface Suite {
  kem: XWing;
  suite: CipherSuite;
}

// Not the library's DHKEM(X25519): WebKit's native X25519 loses keys that begin with a zero byte; X-Wing's is JavaScript.
export async function newSuite(): Promise<Suite> {
  const kem = await bestXWing();
  return { kem, suite: new CipherSuite({ kem, kdf: new HkdfSha256(), aead: new Aes256Gcm() }) };
}
