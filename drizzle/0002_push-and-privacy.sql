CREATE TABLE "push_marks" (
	"subscription_id" uuid NOT NULL,
	"conversation_id" uuid NOT NULL,
	"seq" bigint NOT NULL,
	CONSTRAINT "push_marks_pk" PRIMARY KEY("subscription_id","conversation_id")
);
--> statement-breakpoint
CREATE TABLE "push_subscriptions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" uuid NOT NULL,
	"session_id" uuid NOT NULL,
	"endpoint" text NOT NULL,
	"p256dh" text NOT NULL,
	"auth" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "push_subscriptions_endpoint_uq" UNIQUE("endpoint")
);
--> statement-breakpoint
DROP VIEW "public"."message_statuses";--> statement-breakpoint
ALTER TABLE "conversation_participants" ADD COLUMN "reads_hidden_after" bigint;--> statement-breakpoint
ALTER TABLE "conversation_participants" ADD COLUMN "notified_seq" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "conversation_participants" ADD COLUMN "muted_until" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "shares_receipts" boolean DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "shares_presence" boolean DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "shares_typing" boolean DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE "push_marks" ADD CONSTRAINT "push_marks_subscription_id_push_subscriptions_id_fk" FOREIGN KEY ("subscription_id") REFERENCES "public"."push_subscriptions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "push_marks" ADD CONSTRAINT "push_marks_conversation_id_conversations_id_fk" FOREIGN KEY ("conversation_id") REFERENCES "public"."conversations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "push_subscriptions" ADD CONSTRAINT "push_subscriptions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "push_subscriptions" ADD CONSTRAINT "push_subscriptions_session_id_sessions_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."sessions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "push_subscriptions_user_idx" ON "push_subscriptions" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "push_subscriptions_session_idx" ON "push_subscriptions" USING btree ("session_id");--> statement-breakpoint
CREATE VIEW "public"."message_statuses" AS (
  select md5(m.id::text || p.user_id::text)::uuid as id, m.id as message_id, p.user_id,
    case when least(p.read_seq, p.reads_hidden_after) >= m.seq then 'read' when p.delivered_seq >= m.seq then 'delivered' else 'sent' end as status_type,
    null::text as reaction_emoji, coalesce(r.at, m.created_at) as at
  from messages m
  join conversation_participants p
    on p.conversation_id = m.conversation_id and p.user_id <> m.sender_id and p.left_at is null and p.visible_from_seq < m.seq
  left join lateral (
    select r.at from receipts r
    where r.conversation_id = m.conversation_id and r.user_id = p.user_id and r.up_to_seq >= m.seq
      and r.kind = case when least(p.read_seq, p.reads_hidden_after) >= m.seq then 'read' else 'delivered' end
    order by r.up_to_seq limit 1
  ) r on true
  union all
  select x.id, x.message_id, x.user_id, 'reaction', encode(x.tag, 'hex'), x.created_at from reactions x);