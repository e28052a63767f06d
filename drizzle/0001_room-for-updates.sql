-- Every message updates one row of each of these tables, in columns no index covers. With room on the page the new
-- version stays there and no index is touched.
ALTER TABLE "conversations" SET (fillfactor = 60);--> statement-breakpoint
ALTER TABLE "conversation_participants" SET (fillfactor = 70);
