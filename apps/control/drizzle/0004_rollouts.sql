CREATE TABLE "rollouts" (
	"revision" integer PRIMARY KEY NOT NULL,
	"state" text DEFAULT 'running' NOT NULL,
	"reason" text,
	"settings" jsonb NOT NULL,
	"waves" jsonb NOT NULL,
	"wave" integer DEFAULT 0 NOT NULL,
	"wave_started_at" timestamp with time zone NOT NULL,
	"settled_at" timestamp with time zone,
	"checked_at" timestamp with time zone,
	"skipped" jsonb NOT NULL,
	"undone_by" integer,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"finished_at" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "revisions" ADD COLUMN "state" text DEFAULT 'released' NOT NULL;--> statement-breakpoint
ALTER TABLE "rollouts" ADD CONSTRAINT "rollouts_revision_revisions_revision_fk" FOREIGN KEY ("revision") REFERENCES "public"."revisions"("revision") ON DELETE no action ON UPDATE no action;