ALTER TABLE "revocations" ADD COLUMN "region" text;--> statement-breakpoint
ALTER TABLE "revocations" ADD COLUMN "operation" uuid;