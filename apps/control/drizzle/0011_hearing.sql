CREATE TABLE "hearing" (
	"only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"since" timestamp with time zone DEFAULT now() NOT NULL,
	"until" timestamp with time zone DEFAULT now() NOT NULL,
	"previous_since" timestamp with time zone,
	"previous_until" timestamp with time zone,
	CONSTRAINT "hearing_only" CHECK ("hearing"."only")
);
--> statement-breakpoint
INSERT INTO "hearing" DEFAULT VALUES;
