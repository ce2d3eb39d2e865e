CREATE TABLE "refusals" (
	"edge" text NOT NULL,
	"sent_as" text NOT NULL,
	"kind" text NOT NULL,
	"reason" text NOT NULL,
	"count" bigint NOT NULL,
	"first_at" timestamp with time zone NOT NULL,
	"last_at" timestamp with time zone NOT NULL,
	CONSTRAINT "refusals_edge_sent_as_kind_pk" PRIMARY KEY("edge","sent_as","kind")
);
--> statement-breakpoint
ALTER TABLE "series" ADD COLUMN "introduced_by" text;--> statement-breakpoint
ALTER TABLE "series" ADD COLUMN "used_at" timestamp with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
CREATE INDEX "series_introduced_by" ON "series" USING btree ("introduced_by");