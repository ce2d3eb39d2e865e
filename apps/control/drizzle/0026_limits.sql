ALTER TABLE "tokens" ADD COLUMN "limits" jsonb;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "region" text;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "domain" text;--> statement-breakpoint
ALTER TABLE "revocations" ADD COLUMN "domain" text;--> statement-breakpoint
ALTER TABLE "traces" ADD COLUMN "region" text;--> statement-breakpoint
ALTER TABLE "traces" ADD COLUMN "domain" text;