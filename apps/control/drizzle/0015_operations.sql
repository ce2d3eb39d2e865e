CREATE TABLE "operations" (
	"number" bigserial NOT NULL,
	"id" uuid PRIMARY KEY NOT NULL,
	"title" text NOT NULL,
	"work" jsonb NOT NULL,
	"target" jsonb NOT NULL,
	"state" text DEFAULT 'running' NOT NULL,
	"reason" text,
	"soak_seconds" integer NOT NULL,
	"stages" jsonb NOT NULL,
	"stage" integer DEFAULT 0 NOT NULL,
	"stage_started_at" timestamp with time zone NOT NULL,
	"settled_at" timestamp with time zone,
	"edges" jsonb NOT NULL,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"finished_at" timestamp with time zone,
	CONSTRAINT "operations_number_unique" UNIQUE("number")
);
--> statement-breakpoint
CREATE INDEX "operations_created" ON "operations" USING btree ("created_at");