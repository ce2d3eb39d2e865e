ALTER TABLE "edges" ALTER COLUMN "gauges" SET DATA TYPE json;--> statement-breakpoint
ALTER TABLE "edges" ALTER COLUMN "counted" SET DATA TYPE json;--> statement-breakpoint
ALTER TABLE "edges" ALTER COLUMN "counted_before" SET DATA TYPE json;