ALTER TABLE "edges" ADD COLUMN "counted" jsonb;--> statement-breakpoint
ALTER TABLE "edges" ADD COLUMN "counted_before" jsonb;