/** Conversations that are long already: rows by the statement, with all their indexes, as sends would have left them. */
import type { World } from './world.ts';

/**
 * Copies the first message until the conversation has `count`, a second apart: what is measured does not depend on what
 * envelopes say. Ids rise with time, as clients make them.
 */
export async function fill({ sql }: Pick<World, 'sql'>, conversationId: string, count: number): Promise<void> {
  await sql`
    insert into messages (id, conversation_id, seq, sender_id, content_encrypted, message_type, key_epoch, first_key_epoch, sent_hash, version, created_at)
    select (lpad(to_hex((extract(epoch from m.created_at) * 1000)::bigint - (${count}::bigint - n) * 1000), 12, '0')
        || '7' || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid,
      m.conversation_id, n, m.sender_id, m.content_encrypted, m.message_type, 0, 0, m.sent_hash, m.version + n, m.created_at - (${count}::bigint - n) * interval '1 second'
    from messages m cross join generate_series(2, ${count}::int) n where m.conversation_id = ${conversationId} and m.seq = 1`;
  await sql`update conversations set last_seq = ${count}, version = version + ${count} where id = ${conversationId}`;
  // What production has after a while: statistics, a map of visible pages, and no checkpoint that is still to be made.
  await sql`vacuum analyze`;
  await sql`checkpoint`;
}
