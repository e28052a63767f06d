/** The last messages that this browser was told of (P19). Ids only; a database of its own, so that it needs no key to be open. */
import { type IDBPDatabase, openDB } from 'idb';

const NAME = 'parley-told';
const TABLE = 'messages';
const MOST = 200;

let opening: Promise<IDBPDatabase> | undefined;

function database(): Promise<IDBPDatabase> {
  opening ??= openDB(NAME, 1, {
    upgrade: (db) =>
      void db.createObjectStore(TABLE, { autoIncrement: true }).createIndex('id', 'id', { unique: true }),
  }).catch((error: unknown) => {
    opening = undefined;
    throw error;
  });
  return opening;
}

/** True once for each id, for as long as it is remembered; always where there is no database. */
export async function isNew(id: string): Promise<boolean> {
  try {
    const transaction = (await database()).transaction(TABLE, 'readwrite');
    const { store } = transaction;
    if ((await store.index('id').getKey(id)) !== undefined) return false;
    await store.add({ id });
    // Numbered as they came.
    const keys = await store.getAllKeys();
    await Promise.all(keys.slice(0, -MOST).map((key) => store.delete(key)));
    await transaction.done;
    return true;
  } catch {
    return true;
  }
}

export async function forgetTold(): Promise<void> {
  await (await database()).clear(TABLE);
}
