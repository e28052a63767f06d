CREATE TABLE "conversation_participants" (
	"conversation_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"role" text NOT NULL,
	"joined_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"joined_seq" bigint DEFAULT 0 NOT NULL,
	"visible_from_seq" bigint DEFAULT 0 NOT NULL,
	"delivered_seq" bigint DEFAULT 0 NOT NULL,
	"read_seq" bigint DEFAULT 0 NOT NULL,
	"key_gen" integer NOT NULL,
	"key_fingerprint" "bytea" NOT NULL,
	"left_at" timestamp (3) with time zone,
	"in_epoch" boolean DEFAULT true NOT NULL,
	"version" bigint NOT NULL,
	"changed_xid" "xid8" DEFAULT pg_current_xact_id() NOT NULL,
	CONSTRAINT "conversation_participants_pk" PRIMARY KEY("conversation_id","user_id"),
	CONSTRAINT "conversation_participants_role_ck" CHECK ("conversation_participants"."role" in ('member', 'moderator', 'admin')),
	CONSTRAINT "conversation_participants_watermarks_ck" CHECK ("conversation_participants"."read_seq" <= "conversation_participants"."delivered_seq")
);
--> statement-breakpoint
CREATE TABLE "conversations" (
	"id" uuid PRIMARY KEY NOT NULL,
	"type" text NOT NULL,
	"title" text,
	"title_revision" integer DEFAULT 0 NOT NULL,
	"created_by" uuid NOT NULL,
	"is_active" boolean DEFAULT true NOT NULL,
	"last_message_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"settings" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"direct_key" text,
	"last_seq" bigint DEFAULT 0 NOT NULL,
	"version" bigint DEFAULT 0 NOT NULL,
	"own_version" bigint DEFAULT 0 NOT NULL,
	"own_xid" "xid8" DEFAULT pg_current_xact_id() NOT NULL,
	"changed_xid" "xid8" DEFAULT pg_current_xact_id() NOT NULL,
	"key_epoch" integer DEFAULT 0 NOT NULL,
	"epoch_hash" "bytea" NOT NULL,
	"rekey_required" boolean DEFAULT false NOT NULL,
	CONSTRAINT "conversations_direct_key_uq" UNIQUE("direct_key"),
	CONSTRAINT "conversations_type_ck" CHECK ("conversations"."type" in ('direct', 'group')),
	CONSTRAINT "conversations_title_ck" CHECK (("conversations"."type" = 'group') = ("conversations"."title" is not null) and ("conversations"."type" = 'direct') = ("conversations"."direct_key" is not null))
);
--> statement-breakpoint
CREATE TABLE "conversation_epochs" (
	"conversation_id" uuid NOT NULL,
	"epoch" integer NOT NULL,
	"record" "bytea" NOT NULL,
	"sig" "bytea" NOT NULL,
	"hash" "bytea" NOT NULL,
	"author_id" uuid NOT NULL,
	"seq" bigint NOT NULL,
	"version" bigint NOT NULL,
	"changed_xid" "xid8" DEFAULT pg_current_xact_id() NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "conversation_epochs_pk" PRIMARY KEY("conversation_id","epoch")
);
--> statement-breakpoint
CREATE TABLE "epoch_key_wraps" (
	"conversation_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"epoch" integer NOT NULL,
	"user_gen" integer NOT NULL,
	"wrapped" "bytea" NOT NULL,
	CONSTRAINT "epoch_key_wraps_pk" PRIMARY KEY("conversation_id","user_id","epoch"),
	CONSTRAINT "epoch_key_wraps_length_ck" CHECK (octet_length("epoch_key_wraps"."wrapped") = 1168)
);
--> statement-breakpoint
CREATE TABLE "history_grants" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"conversation_id" uuid NOT NULL,
	"from_user" uuid NOT NULL,
	"to_user" uuid NOT NULL,
	"to_gen" integer NOT NULL,
	"head" "bytea" NOT NULL,
	"sealed" "bytea" NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "message_revisions" (
	"message_id" uuid NOT NULL,
	"revision" integer NOT NULL,
	"hash" "bytea" NOT NULL,
	CONSTRAINT "message_revisions_pk" PRIMARY KEY("message_id","revision")
);
--> statement-breakpoint
CREATE TABLE "messages" (
	"id" uuid PRIMARY KEY NOT NULL,
	"conversation_id" uuid NOT NULL,
	"seq" bigint NOT NULL,
	"sender_id" uuid NOT NULL,
	"content_encrypted" text NOT NULL,
	"message_type" text NOT NULL,
	"key_epoch" integer NOT NULL,
	"first_key_epoch" integer NOT NULL,
	"revision" integer DEFAULT 0 NOT NULL,
	"is_edited" boolean DEFAULT false NOT NULL,
	"is_deleted" boolean DEFAULT false NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"edited_at" timestamp (3) with time zone,
	"sent_hash" "bytea" NOT NULL,
	"version" bigint NOT NULL,
	"changed_xid" "xid8" DEFAULT pg_current_xact_id() NOT NULL,
	CONSTRAINT "messages_conversation_seq_uq" UNIQUE("conversation_id","seq"),
	CONSTRAINT "messages_seq_ck" CHECK ("messages"."seq" > 0),
	CONSTRAINT "messages_type_ck" CHECK ("messages"."message_type" in ('text', 'image', 'file', 'system', 'voice'))
);
--> statement-breakpoint
CREATE TABLE "reactions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"message_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"tag" "bytea" NOT NULL,
	"content_encrypted" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "reactions_message_user_tag_uq" UNIQUE("message_id","user_id","tag")
);
--> statement-breakpoint
CREATE TABLE "receipts" (
	"conversation_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"from_seq" bigint NOT NULL,
	"up_to_seq" bigint NOT NULL,
	"at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "receipts_pk" PRIMARY KEY("conversation_id","user_id","kind","up_to_seq"),
	CONSTRAINT "receipts_kind_ck" CHECK ("receipts"."kind" in ('delivered', 'read')),
	CONSTRAINT "receipts_range_ck" CHECK ("receipts"."from_seq" < "receipts"."up_to_seq")
);
--> statement-breakpoint
CREATE TABLE "refresh_tokens" (
	"hash" "bytea" PRIMARY KEY NOT NULL,
	"session_id" uuid NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"spent_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "sessions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"user_agent" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"last_seen_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"revoked_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "account_blobs" (
	"user_id" uuid NOT NULL,
	"name" text NOT NULL,
	"version" integer NOT NULL,
	"data" "bytea" NOT NULL,
	CONSTRAINT "account_blobs_pk" PRIMARY KEY("user_id","name"),
	CONSTRAINT "account_blobs_name_ck" CHECK ("account_blobs"."name" in ('keyring', 'settings'))
);
--> statement-breakpoint
CREATE TABLE "account_key_wraps" (
	"user_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"wrapped" "bytea" NOT NULL,
	"verifier" "bytea",
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "account_key_wraps_pk" PRIMARY KEY("user_id","kind"),
	CONSTRAINT "account_key_wraps_kind_ck" CHECK ("account_key_wraps"."kind" in ('password', 'recovery'))
);
--> statement-breakpoint
CREATE TABLE "user_identities" (
	"user_id" uuid NOT NULL,
	"gen" integer NOT NULL,
	"record" "bytea" NOT NULL,
	"self_sig" "bytea" NOT NULL,
	"prev_sig" "bytea",
	"fingerprint" "bytea" NOT NULL,
	"kind" smallint NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "user_identities_pk" PRIMARY KEY("user_id","gen")
);
--> statement-breakpoint
CREATE TABLE "users" (
	"id" uuid PRIMARY KEY NOT NULL,
	"username" text NOT NULL,
	"email" text NOT NULL,
	"password_hash" text NOT NULL,
	"display_name" text NOT NULL,
	"avatar_url" text,
	"kdf" jsonb NOT NULL,
	"identity_gen" integer DEFAULT 0 NOT NULL,
	"last_seen_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "conversation_participants" ADD CONSTRAINT "conversation_participants_conversation_id_conversations_id_fk" FOREIGN KEY ("conversation_id") REFERENCES "public"."conversations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "conversation_participants" ADD CONSTRAINT "conversation_participants_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "conversations" ADD CONSTRAINT "conversations_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "conversation_epochs" ADD CONSTRAINT "conversation_epochs_conversation_id_conversations_id_fk" FOREIGN KEY ("conversation_id") REFERENCES "public"."conversations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "conversation_epochs" ADD CONSTRAINT "conversation_epochs_author_id_users_id_fk" FOREIGN KEY ("author_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "epoch_key_wraps" ADD CONSTRAINT "epoch_key_wraps_conversation_id_conversations_id_fk" FOREIGN KEY ("conversation_id") REFERENCES "public"."conversations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "epoch_key_wraps" ADD CONSTRAINT "epoch_key_wraps_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "history_grants" ADD CONSTRAINT "history_grants_conversation_id_conversations_id_fk" FOREIGN KEY ("conversation_id") REFERENCES "public"."conversations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "history_grants" ADD CONSTRAINT "history_grants_from_user_users_id_fk" FOREIGN KEY ("from_user") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "history_grants" ADD CONSTRAINT "history_grants_to_user_users_id_fk" FOREIGN KEY ("to_user") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "message_revisions" ADD CONSTRAINT "message_revisions_message_id_messages_id_fk" FOREIGN KEY ("message_id") REFERENCES "public"."messages"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "reactions" ADD CONSTRAINT "reactions_message_id_messages_id_fk" FOREIGN KEY ("message_id") REFERENCES "public"."messages"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "reactions" ADD CONSTRAINT "reactions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "refresh_tokens" ADD CONSTRAINT "refresh_tokens_session_id_sessions_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."sessions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "account_blobs" ADD CONSTRAINT "account_blobs_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "account_key_wraps" ADD CONSTRAINT "account_key_wraps_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "user_identities" ADD CONSTRAINT "user_identities_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "conversation_participants_user_idx" ON "conversation_participants" USING btree ("user_id","conversation_id");--> statement-breakpoint
CREATE INDEX "conversation_epochs_changed_idx" ON "conversation_epochs" USING btree ("conversation_id","changed_xid");--> statement-breakpoint
CREATE INDEX "history_grants_to_idx" ON "history_grants" USING btree ("to_user","conversation_id");--> statement-breakpoint
CREATE INDEX "messages_conversation_created_idx" ON "messages" USING btree ("conversation_id","created_at" desc);--> statement-breakpoint
CREATE INDEX "messages_conversation_changed_idx" ON "messages" USING btree ("conversation_id","changed_xid");--> statement-breakpoint
CREATE INDEX "refresh_tokens_session_idx" ON "refresh_tokens" USING btree ("session_id");--> statement-breakpoint
CREATE INDEX "sessions_user_idx" ON "sessions" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "sessions_revoked_idx" ON "sessions" USING btree ("revoked_at");--> statement-breakpoint
CREATE UNIQUE INDEX "users_username_uq" ON "users" USING btree (lower("username"));--> statement-breakpoint
CREATE UNIQUE INDEX "users_email_uq" ON "users" USING btree (lower("email"));--> statement-breakpoint
CREATE VIEW "public"."message_statuses" AS (
  select md5(m.id::text || p.user_id::text)::uuid as id, m.id as message_id, p.user_id,
    case when p.read_seq >= m.seq then 'read' when p.delivered_seq >= m.seq then 'delivered' else 'sent' end as status_type,
    null::text as reaction_emoji, coalesce(r.at, m.created_at) as at
  from messages m
  join conversation_participants p
    on p.conversation_id = m.conversation_id and p.user_id <> m.sender_id and p.left_at is null and p.visible_from_seq < m.seq
  left join lateral (
    select r.at from receipts r
    where r.conversation_id = m.conversation_id and r.user_id = p.user_id and r.up_to_seq >= m.seq
      and r.kind = case when p.read_seq >= m.seq then 'read' else 'delivered' end
    order by r.up_to_seq limit 1
  ) r on true
  union all
  select x.id, x.message_id, x.user_id, 'reaction', encode(x.tag, 'hex'), x.created_at from reactions x);