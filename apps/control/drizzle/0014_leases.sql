CREATE TABLE "leases" (
	"name" text PRIMARY KEY NOT NULL,
	"holder" text NOT NULL,
	"fence" bigint DEFAULT 0 NOT NULL,
	"until" timestamp with time zone DEFAULT now() NOT NULL,
	"succeeded_at" timestamp with time zone DEFAULT now() NOT NULL
);
