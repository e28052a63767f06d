/** Storage in the browser. One database per origin: one person is signed in at a time, and log-out empties it. */
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import { type Storage, TABLES } from './storage.ts';

const NAME = 'parley';
const VERSION = 2;

interface Schema extends DBSchema {
  device: { key: string; value: unknown };
  sealed: { key: string; value: unknown };
  outbox: { key: string; value: unknown };
  files: { key: string; value: unknown };
}

export async function indexedDbStorage(name = NAME): Promise<Storage> {
  const db: IDBPDatabase<Schema> = await openDB<Schema>(name, VERSION, {
    upgrade(database) {
      for (const table of TABLES) {
        if (!database.objectStoreNames.contains(table)) database.createObjectStore(table);
      }
    },
    // Another tab runs a newer version: let it through, this one works on from memory until it is reloaded.
    blocking: () => db.close(),
  });
  return {
    lasting: true,
    get: (table, key) => db.get(table, key),
    async entries(table) {
      const transaction = db.transaction(table);
      const [keys, values] = await Promise.all([transaction.store.getAllKeys(), transaction.store.getAll()]);
      return keys.map((key, i) => [key, values[i]]);
    },
    keys: (table) => db.getAllKeys(table),
    put: async (table, key, value) => void (await db.put(table, value, key)),
    delete: (table, key) => db.delete(table, key),
    async wipe() {
      const transaction = db.transaction(TABLES, 'readwrite');
      await Promise.all([...TABLES.map((table) => transaction.objectStore(table).clear()), transaction.done]);
    },
    close: async () => db.close(),
  };
}
