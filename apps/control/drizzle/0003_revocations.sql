CREATE TABLE "revocations" (
	"sequence" bigint PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"subject" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"created_by" text NOT NULL,
	"note" text NOT NULL
);
--> statement-breakpoint
ALTER TABLE "edges" ADD COLUMN "drain" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX "revocations_at" ON "revocations" USING btree ("at");