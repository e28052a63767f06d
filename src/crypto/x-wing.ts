/** Owns the KEM: the library's X-Wing, with ML-KEM-768 done by the browser where it can. The bytes are the same either way. */
import { XWing } from '@hpke/hybridkem-x-wing';

const ALGORITHM = { name: 'ML-KEM-768' };

interface NativeKem {
  importKey(format: string, key: Uint8Array, algorithm: object, extractable: boolean, uses: string[]): Promise<object>;
  encapsulateBits(algorithm: object, key: object): Promise<{ sharedKey: ArrayBuffer; ciphertext: ArrayBuffer }>;
  decapsulateBits(algorithm: object, key: object, ciphertext: Uint8Array): Promise<ArrayBuffer>;
}

/** Of this engine, if it has one. WebCrypto's newest algorithms are not in TypeScript's library yet. */
export async function nativeKem(): Promise<NativeKem | undefined> {
  const subtle = globalThis.crypto?.subtle as unknown as NativeKem | undefined;
  if (!subtle || !('encapsulateBits' in subtle)) return undefined;
  try {
    await subtle.importKey('raw-seed', new Uint8Array(64), ALGORITHM, false, ['decapsulateBits']);
    return subtle;
  } catch {
    return undefined;
  }
}

/** A thousand members are a thousand encapsulations: in JavaScript they are most of the time of a removal. */
class NativeXWing extends XWing {
  constructor(native: NativeKem) {
    super();
    const seeds = new WeakMap<Uint8Array, Promise<object>>();
    const inScript = this._m;
    this._m = Object.assign(Object.create(inScript) as typeof inScript, {
      async encap(publicKey: Uint8Array, seed?: Uint8Array): Promise<[Uint8Array, Uint8Array]> {
        // A given seed is for vectors; browsers take none.
        if (seed) return inScript.encap(publicKey, seed);
        const key = await native.importKey('raw-public', publicKey.slice(), ALGORITHM, true, ['encapsulateBits']);
        const { ciphertext, sharedKey } = await native.encapsulateBits(ALGORITHM, key);
        return [new Uint8Array(ciphertext), new Uint8Array(sharedKey)];
      },
      // Browsers take the seed only, and the library hands its expansion on to `decap`.
      async deriveKeyPair(seed: Uint8Array): Promise<[Uint8Array, Uint8Array]> {
        const pair = await inScript.deriveKeyPair(seed);
        seeds.set(pair[1], native.importKey('raw-seed', seed.slice(), ALGORITHM, false, ['decapsulateBits']));
        return pair;
      },
      async decap(ciphertext: Uint8Array, secretKey: Uint8Array): Promise<Uint8Array> {
        const key = await seeds.get(secretKey);
        if (!key) return inScript.decap(ciphertext, secretKey);
        return new Uint8Array(await native.decapsulateBits(ALGORITHM, key, ciphertext.slice()));
      },
    });
  }
}

export async function bestXWing(): Promise<XWing> {
  const native = await nativeKem();
  return native ? new NativeXWing(native) : new XWing();
}
