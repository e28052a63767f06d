/** Who has not got the last message of a conversation, has not been told of it, and would want to be. */
import type { Sql } from '../db/client.ts';

/** The people of one conversation together: most of them are present, and a row for each would be made for nothing. */
export interface Behind {
  readonly conversationId: string;
  /** When the last message was committed; ms since 1970, by the clock of Postgres. */
  readonly lastMessageAt: number;
  readonly worthTelling: readonly string[];
  /** Who has no device to be told on and has had a job since he was last here. */
  readonly others: readonly string[];
}

/** More people in one look than this are left to the sweep. */
const LIMIT = 10_000;

type Which =
  | { readonly column: 'conversation_id' | 'user_id'; readonly ids: readonly string[] }
  /** Any whose last message is between so many milliseconds old; at random when there are more than the limit. */
  | { readonly olderMs: number; readonly youngerMs: number; readonly limit: number };

type Row = Pick<Behind, 'conversationId' | 'lastMessageAt'> & Record<'worthTelling' | 'others', string | null>;

const idsOf = (joined: string | null) => joined?.split(',') ?? [];

export async function findBehind(sql: Sql, which: Which): Promise<Behind[]> {
  const condition =
    'ids' in which
      ? sql`${sql('p')}.${sql(which.column)} = any(${which.ids as string[]}::uuid[])`
      : sql`c.last_message_at between now() - ${which.youngerMs} * interval '1 ms' and now() - ${which.olderMs} * interval '1 ms'`;
  const bound = 'ids' in which ? sql`limit ${LIMIT}` : sql`order by random() limit ${which.limit}`;
  const rows = await sql<Row[]>`
    select b.conversation_id as "conversationId", (extract(epoch from b.last_message_at) * 1000)::float8 as "lastMessageAt",
      string_agg(b.user_id::text, ',') filter (where b.worth_telling) as "worthTelling",
      string_agg(b.user_id::text, ',') filter (where not b.worth_telling) as "others"
    from (
      select p.user_id, p.conversation_id, c.last_message_at,
        p.notified_seq <= p.delivered_seq or exists (select 1 from push_subscriptions s where s.user_id = p.user_id) as worth_telling
      from conversations c join conversation_participants p on p.conversation_id = c.id
      where ${condition} and c.is_active and p.left_at is null and coalesce(p.muted_until <= now(), true)
        and greatest(p.notified_seq, p.delivered_seq, p.visible_from_seq) < c.last_seq
      ${bound}
    ) b
    group by b.conversation_id, b.last_message_at`;
  return rows.map(({ worthTelling, others, ...row }) => ({
    ...row,
    worthTelling: idsOf(worthTelling),
    others: idsOf(others),
  }));
}
