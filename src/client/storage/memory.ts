/** Storage that ends with the process: programs, tests, and "this is a shared computer". */
import type { Storage, Table } from './storage.ts';

/** `lasting` is for those who hand the same storage to a second chat, as a reload would. */
export function memoryStorage(lasting = true): Storage {
  const tables = new Map<Table, Map<string, unknown>>();
  const table = (name: Table): Map<string, unknown> => {
    const found = tables.get(name) ?? new Map<string, unknown>();
    tables.set(name, found);
    return found;
  };
  return {
    lasting,
    get: async (name, key) => table(name).get(key),
    entries: async (name) => [...table(name)].sort(([a], [b]) => (a < b ? -1 : 1)),
    keys: async (name) => [...table(name).keys()].sort(),
    put: async (name, key, value) => void table(name).set(key, value),
    delete: async (name, key) => void table(name).delete(key),
    wipe: async () => tables.clear(),
    close: async () => {},
  };
}
