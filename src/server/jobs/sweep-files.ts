/**
 * Puts away files that nobody waits for: uploads that were neither finished nor sent for a day, and what hung on messages that
 * were deleted. The row says so first, under its lock, then the bytes go, then the row: whoever sends at the same moment has
 * either taken the file, or cannot any more. Safe to be done twice, and at once.
 */
import { inArray } from 'drizzle-orm';
import { attachments } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import type { Upload } from '../files/storage.ts';

/** A large loss is made good in several rounds. */
const MOST = 500;

/** @returns how many files were removed */
export async function sweepFiles(deps: Deps, everyMs: number): Promise<number> {
  await condemn(deps);
  const removed = await removeCondemned(deps);
  // Each time another share of the store, so that no round is long.
  const strays = await deps.files.storage.removeStrays(Math.floor(deps.now() / everyMs), (ids) => known(deps, ids));
  deps.metrics.filesSwept.inc({ why: 'stray' }, strays);
  const [loose] = await deps.sql<{ n: number }[]>`select count(*)::int as n from attachments where message_id is null`;
  deps.metrics.filesLoose.set(loose?.n ?? 0);
  if (removed + strays > 0) deps.log.info({ removed, strays }, 'files: swept');
  return removed + strays;
}

async function condemn({ sql, env, now }: Deps): Promise<void> {
  await sql`
    update attachments set removed_at = now() where id in (
      select id from attachments
      where message_id is null and removed_at is null and used_at < ${new Date(now() - env.files.orphanMs).toISOString()}
      order by used_at limit ${MOST} for update skip locked)`;
}

async function removeCondemned({ sql, files, log, metrics }: Deps): Promise<number> {
  const ids = await sql<{ id: string }[]>`
    select id from attachments where message_id is null and removed_at is not null order by used_at limit ${MOST}`;
  let removed = 0;
  for (const { id } of ids) {
    await files.turns.stop(id);
    try {
      await sql.begin(async (tx) => {
        const [row] = await tx<(Upload & { finished: boolean })[]>`
          select id, cipher_size as size, parts, completed_at is not null as finished from attachments
          where id = ${id} and removed_at is not null for update skip locked`;
        if (!row) return;
        await files.storage.remove(row);
        await tx`delete from attachments where id = ${id}`;
        metrics.filesSwept.inc({ why: row.finished ? 'unneeded' : 'unfinished' });
        removed++;
      });
    } catch (error) {
      // The row stays, and with it the next attempt.
      log.warn({ err: error, file: id }, 'files: not removed');
    }
  }
  return removed;
}

async function known({ db }: Deps, ids: string[]): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await db.select({ id: attachments.id }).from(attachments).where(inArray(attachments.id, ids));
  return new Set(rows.map(({ id }) => id));
}
