-- Unlogged, and stored without compression: only the space on the disk is tested.
CREATE UNLOGGED TABLE "write_test" (
	"padding" text NOT NULL
);
--> statement-breakpoint
ALTER TABLE "write_test" ALTER COLUMN "padding" SET STORAGE EXTERNAL;
--> statement-breakpoint
ALTER TABLE "traces" ADD COLUMN "token" uuid;