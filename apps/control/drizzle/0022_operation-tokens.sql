ALTER TABLE "operations" ADD COLUMN "token" uuid;--> statement-breakpoint
ALTER TABLE "rollouts" ADD COLUMN "token" uuid;