CREATE TABLE "enrolments" (
	"number" bigserial NOT NULL,
	"key" text PRIMARY KEY NOT NULL,
	"edge" text NOT NULL,
	"region" text NOT NULL,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"revoked_by" text,
	"revoked_at" timestamp with time zone,
	"enforced_at" timestamp with time zone,
	CONSTRAINT "enrolments_number_unique" UNIQUE("number")
);
--> statement-breakpoint
CREATE INDEX "enrolments_edge" ON "enrolments" USING btree ("edge");