CREATE TABLE "keychains" (
	"user_id" uuid NOT NULL,
	"conversation_id" uuid NOT NULL,
	"through_epoch" integer NOT NULL,
	"data" "bytea" NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "keychains_pk" PRIMARY KEY("user_id","conversation_id")
);
--> statement-breakpoint
CREATE TABLE "account_codes" (
	"user_id" uuid NOT NULL,
	"purpose" text NOT NULL,
	"hash" "bytea" NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "account_codes_pk" PRIMARY KEY("user_id","purpose"),
	CONSTRAINT "account_codes_purpose_ck" CHECK ("account_codes"."purpose" in ('recover', 'unlock', 'reset'))
);
--> statement-breakpoint
CREATE TABLE "identity_log" (
	"index" bigint PRIMARY KEY NOT NULL,
	"user_id" uuid NOT NULL,
	"gen" integer NOT NULL,
	"record_hash" "bytea" NOT NULL,
	"hash" "bytea" NOT NULL
);
--> statement-breakpoint
ALTER TABLE "keychains" ADD CONSTRAINT "keychains_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "keychains" ADD CONSTRAINT "keychains_conversation_id_conversations_id_fk" FOREIGN KEY ("conversation_id") REFERENCES "public"."conversations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "account_codes" ADD CONSTRAINT "account_codes_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "keychains_conversation_idx" ON "keychains" USING btree ("conversation_id");--> statement-breakpoint
CREATE UNIQUE INDEX "identity_log_user_key" ON "identity_log" USING btree ("user_id","gen");--> statement-breakpoint
DO $$
DECLARE
  one record;
  log_index bigint := 0;
  log_hash bytea := decode(repeat('00', 32), 'hex');
BEGIN
  FOR one IN SELECT user_id, gen, record FROM user_identities ORDER BY created_at, user_id, gen LOOP
    log_index := log_index + 1;
    log_hash := sha256(log_hash || int8send(log_index) || sha256(one.record));
    INSERT INTO identity_log (index, user_id, gen, record_hash, hash)
    VALUES (log_index, one.user_id, one.gen, sha256(one.record), log_hash);
  END LOOP;
END $$;
