/** The identity log: every public identity ever taken, in one order for everybody, each entry's hash over the one before. */
import { createHash } from 'node:crypto';
import { asc, desc, eq, gt, sql } from 'drizzle-orm';
import { toBase64 } from '#crypto/verify';
import type { LogPage } from '#protocol/keys';
import type { Db, Tx } from '../db/client.ts';
import { identityLog } from '../db/tables.ts';

/** The advisory lock under which entries are appended: one after the other, over all nodes. */
const LOCK = 0x1d_106;
const NOTHING_BEFORE = new Uint8Array(32);

const sha256 = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest();

/** SHA-256(hash before | u64 index | SHA-256(record)). */
export function logHash(before: Uint8Array, index: number, recordHash: Uint8Array): Uint8Array {
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(BigInt(index));
  return sha256(before, number, recordHash);
}

/** Everybody else who appends waits until this transaction ends: call it last. */
export async function appendIdentity(
  tx: Tx,
  { userId, gen, record }: { userId: string; gen: number; record: Uint8Array },
): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(${LOCK})`);
  const [last] = await tx
    .select({ index: identityLog.index, hash: identityLog.hash })
    .from(identityLog)
    .orderBy(desc(identityLog.index))
    .limit(1);
  const index = (last?.index ?? 0) + 1;
  const recordHash = sha256(record);
  const hash = logHash(last?.hash ?? NOTHING_BEFORE, index, recordHash);
  await tx.insert(identityLog).values({ index, userId, gen, recordHash, hash });
}

/** Entries of one answer. */
const PAGE = 1_000;
const base64 = (bytes: Uint8Array) => toBase64(Uint8Array.from(bytes));

/** Where it ends, what came after `after`, and whatever it says of the caller. */
export async function readLog(db: Db, userId: string, after: number | null): Promise<LogPage> {
  const { index, hash, recordHash, gen } = identityLog;
  const [[head], mine, entries] = await Promise.all([
    db.select({ index, hash }).from(identityLog).orderBy(desc(index)).limit(1),
    db.select({ index, gen }).from(identityLog).where(eq(identityLog.userId, userId)).orderBy(asc(index)),
    after === null
      ? []
      : db.select({ recordHash }).from(identityLog).where(gt(index, after)).orderBy(asc(index)).limit(PAGE),
  ]);
  return {
    head: head ? { index: head.index, hash: base64(head.hash) } : null,
    entries: entries.map((entry) => base64(entry.recordHash)),
    mine,
  };
}
