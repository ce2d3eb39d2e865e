CREATE TABLE "orders" (
	"number" bigserial NOT NULL,
	"id" uuid PRIMARY KEY NOT NULL,
	"given_by" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"target" jsonb NOT NULL,
	"action" jsonb NOT NULL,
	"finished_at" timestamp with time zone,
	"edges" jsonb,
	CONSTRAINT "orders_number_unique" UNIQUE("number")
);
--> statement-breakpoint
CREATE INDEX "orders_at" ON "orders" USING btree ("at");