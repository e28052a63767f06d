/** The input of `auth.register` as a program makes it: real signed identity, the sealed parts random (nobody opens them here). */
import { randomBytes } from 'node:crypto';
import { uuidv7 } from 'uuidv7';
import { toBase64 } from '#crypto/verify';
import { newPerson } from '../crypto/people.ts';

const bytes = (length: number) => randomBytes(length).toString('base64');
/** What a password is on the wire: 32 derived bytes. */
export const newAuthSecret = () => randomBytes(32).toString('base64url');
export const newKdf = () => ({ alg: 'argon2id' as const, m: 65_536, t: 3, p: 1, salt: bytes(16) });

export async function newRegistration(name = 'person') {
  const id = uuidv7();
  const { signed } = await newPerson({ userId: id });
  const username = `${name}-${id.slice(-8)}`;
  return {
    id,
    username,
    email: `${username}@example.org`,
    displayName: name,
    password: newAuthSecret(),
    identity: {
      record: toBase64(signed.record),
      selfSig: toBase64(signed.selfSig),
      kdf: newKdf(),
      wrappedMasterKey: { password: bytes(104), recovery: bytes(104) },
      recoveryVerifier: bytes(32),
      keyring: bytes(300),
    },
  };
}
export type Registration = Awaited<ReturnType<typeof newRegistration>>;
