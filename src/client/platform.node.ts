/** Node: the keyring in this thread, a memory for storage unless another is given. */
import WebSocketOfNode from 'ws';
import { memoryStorage } from './storage/memory.ts';
import type { Platform } from './platform.types.ts';

export const platform: Platform = {
  session: 'token',
  WebSocket: WebSocketOfNode as unknown as typeof WebSocket,
  async startKeyring(directory, storage) {
    // Argon2 and HPKE are loaded when somebody signs in, not with the SDK.
    const { Keyring } = await import('./keyring/keyring.ts');
    return { keyring: new Keyring(storage ?? memoryStorage(false), directory), close: () => {} };
  },
  exclusively: (_, task) => task(),
};
