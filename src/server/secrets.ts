/** The server's own secrets: made on the first start, kept in one file of mode 0600, or given by the environment. */
import { createECDH, hkdfSync, randomBytes } from 'node:crypto';
import { chmod, link, mkdir, open, readFile, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { exportJWK, generateKeyPair, importJWK } from 'jose';
import { z } from 'zod';
import type { Env } from './env.ts';

const Jwk = z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string(), d: z.string() });
const Stored = z.object({ jwtPrivateJwk: Jwk, passwordPepper: z.string(), atRestKey: z.string() });
type Stored = z.infer<typeof Stored>;

export interface Secrets {
  readonly jwt: { readonly signKey: CryptoKey; readonly verifyKey: CryptoKey };
  /** Keys the HMAC in front of bcrypt: a stolen database alone allows no guessing. */
  readonly pepper: Buffer;
  /** AES-256 key for what is sealed once more at rest: wrapped master keys and keyrings. */
  readonly atRestKey: Buffer;
  /** By which push services know us (RFC 8292): an uncompressed P-256 point and a scalar, base64url. */
  readonly vapid: { readonly publicKey: string; readonly privateKey: string };
}

/**
 * The push keys follow from the at-rest key. So every node has the same pair at once, a system that is older than push
 * needs nothing added, and there is no second thing to back up: another pair would silence every subscribed browser.
 */
export function deriveVapid(atRestKey: Buffer): Secrets['vapid'] {
  for (let round = 0; ; round++) {
    const scalar = Buffer.from(hkdfSync('sha256', atRestKey, '', `parley vapid ${round}`, 32));
    const pair = createECDH('prime256v1');
    try {
      pair.setPrivateKey(scalar);
    } catch {
      // Not below the order of the curve: one time in four thousand million.
      continue;
    }
    return { publicKey: pair.getPublicKey('base64url'), privateKey: scalar.toString('base64url') };
  }
}

async function generate(): Promise<Stored> {
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  return {
    jwtPrivateJwk: Jwk.parse(await exportJWK(privateKey)),
    passwordPepper: randomBytes(32).toString('base64'),
    atRestKey: randomBytes(32).toString('base64'),
  };
}

/** Writes the file unless there is one: `link` is atomic and never replaces, so of two first starts one wins and both read the same. */
async function createOnce(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(await generate(), null, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    await link(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await unlink(draft);
  }
}

async function readStored(file: string): Promise<Stored> {
  const existing = await stat(file).catch(() => null);
  if (existing === null) await createOnce(file);
  // Whoever copied a backup back may have left it readable for all.
  else if (process.platform !== 'win32' && (existing.mode & 0o077) !== 0) await chmod(file, 0o600);
  try {
    return Stored.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    // Never replaced: without the old pepper and key nobody could log in again.
    throw new Error(`${file} is damaged. Restore it from a backup; it cannot be made anew for an existing database.`, {
      cause: cause instanceof z.ZodError ? undefined : cause,
    });
  }
}

function parseJwk(json: string): z.infer<typeof Jwk> {
  try {
    return Jwk.parse(JSON.parse(json));
  } catch {
    throw new Error('JWT_PRIVATE_JWK must be the JSON of a private Ed25519 JWK (kty OKP, crv Ed25519, x, d)');
  }
}

export async function loadSecrets(env: Pick<Env, 'secretsFile' | 'secrets'>): Promise<Secrets> {
  const given = env.secrets;
  const complete = given.jwtPrivateJwk !== undefined && given.pepper !== undefined && given.atRestKey !== undefined;
  const stored = complete ? null : await readStored(env.secretsFile);
  const jwk = given.jwtPrivateJwk !== undefined ? parseJwk(given.jwtPrivateJwk) : stored?.jwtPrivateJwk;
  const { kty, crv, x, d } = Jwk.parse(jwk);
  const atRestKey = Buffer.from(given.atRestKey ?? stored?.atRestKey ?? '', 'base64');
  const asKey = async (parts: object) => (await importJWK({ ...parts, alg: 'EdDSA' }, 'EdDSA')) as CryptoKey;
  return {
    jwt: { signKey: await asKey({ kty, crv, x, d }), verifyKey: await asKey({ kty, crv, x }) },
    pepper: Buffer.from(given.pepper ?? stored?.passwordPepper ?? '', 'base64'),
    atRestKey,
    vapid: given.vapid ?? deriveVapid(atRestKey),
  };
}
