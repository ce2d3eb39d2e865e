ALTER TABLE "edges" ADD COLUMN "sequence" bigint;--> statement-breakpoint
ALTER TABLE "edges" ADD COLUMN "sequence_boot" uuid;--> statement-breakpoint
ALTER TABLE "edges" ADD COLUMN "other_boots" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "edges" ADD COLUMN "wire_version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "edges" ADD COLUMN "clock_skew_ms" bigint;--> statement-breakpoint
ALTER TABLE "edges" ADD COLUMN "clock_skew_seen_ms" bigint;--> statement-breakpoint
ALTER TABLE "edges" ADD COLUMN "unsaved" text;--> statement-breakpoint
ALTER TABLE "edges" ADD COLUMN "uptime_ms" bigint;--> statement-breakpoint
ALTER TABLE "edges" ADD COLUMN "uptime_before_ms" bigint;