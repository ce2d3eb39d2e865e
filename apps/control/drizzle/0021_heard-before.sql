ALTER TABLE "hearing" DROP COLUMN "previous_since";--> statement-breakpoint
ALTER TABLE "hearing" DROP COLUMN "previous_until";