DROP VIEW "public"."message_statuses";--> statement-breakpoint
ALTER TABLE "conversation_participants" ADD COLUMN "own_xid" "xid8" DEFAULT pg_current_xact_id() NOT NULL;--> statement-breakpoint
CREATE VIEW "public"."message_statuses" AS (
  select md5(m.id::text || p.user_id::text)::uuid as id, m.id as message_id, p.user_id,
    case when least(p.read_seq, p.reads_hidden_after) >= m.seq then 'read' when p.delivered_seq >= m.seq then 'delivered' else 'sent' end as status_type,
    null::text as reaction_emoji, coalesce(r.at, m.created_at) as at
  from messages m
  join conversation_participants p
    on p.conversation_id = m.conversation_id and p.user_id <> m.sender_id and p.left_at is null and p.joined_seq < m.seq
  left join lateral (
    select r.at from receipts r
    where r.conversation_id = m.conversation_id and r.user_id = p.user_id and r.up_to_seq >= m.seq
      and r.kind = case when least(p.read_seq, p.reads_hidden_after) >= m.seq then 'read' else 'delivered' end
    order by r.up_to_seq limit 1
  ) r on true
  union all
  select x.id, x.message_id, x.user_id, 'reaction', encode(x.tag, 'hex'), x.created_at from reactions x);