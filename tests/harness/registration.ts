/** The input of `auth.register` as a program makes it: real signed identity, the sealed parts random (nobody opens them here). */
import { randomBytes } from 'node:crypto';
import { uuidv7 } from 'uuidv7';
import { toBase64 } from '#crypto/verify';
import { newPerson, type Person as Keys } from '../crypto/people.ts';
import type { Person } from './people.ts';
import { newProgram } from './program.ts';

const bytes = (length: number) => randomBytes(length).toString('base64');
/** What a password is on the wire: 32 derived bytes. */
export const newAuthSecret = () => randomBytes(32).toString('base64url');
export const newKdf = () => ({ alg: 'argon2id' as const, m: 65_536, t: 3, p: 1, salt: bytes(16) });

export async function newRegistration(name = 'person') {
  return registrationOf(await newPerson({ userId: uuidv7() }), name);
}
export type Registration = Awaited<ReturnType<typeof newRegistration>>;

function registrationOf({ userId: id, signed }: Keys, name: string) {
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

/** Somebody with keys of his own who came in by the front door: for servers whose database nobody reaches behind their back. */
export async function newComer(server: { url: string; wsUrl: string }, name = 'person'): Promise<Comer> {
  const keys = await newPerson({ userId: uuidv7() });
  const { username, password, ...rest } = registrationOf(keys, name);
  const program = newProgram(server);
  const { accessToken } = await program.api.auth.register.mutate({ username, password, ...rest });
  program.token = accessToken;
  return Object.assign(program, keys, { username, password, sessionId: '' });
}
export type Comer = Person & { password: string };

/** The same person at another address, or after a restart. */
export async function cameBack(server: { url: string; wsUrl: string }, comer: Comer): Promise<Comer> {
  const program = newProgram(server);
  const { accessToken } = await program.api.auth.login.mutate({ login: comer.username, password: comer.password });
  program.token = accessToken;
  const { userId, keys, identity, signed, fingerprint, username, password, sessionId } = comer;
  return Object.assign(program, { userId, keys, identity, signed, fingerprint, username, password, sessionId });
}
