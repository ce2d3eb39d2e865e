CREATE TABLE "audit" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	"actor" text NOT NULL,
	"action" text NOT NULL,
	"target" text NOT NULL,
	"before" jsonb,
	"after" jsonb
);
--> statement-breakpoint
CREATE TABLE "edges" (
	"id" text PRIMARY KEY NOT NULL,
	"region" text NOT NULL,
	"boot" uuid NOT NULL,
	"version" text NOT NULL,
	"state" text NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"first_seen_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_seen_at" timestamp with time zone NOT NULL,
	"sent_at" timestamp with time zone NOT NULL,
	"heartbeat_ms" integer NOT NULL,
	"config_applied" bigint NOT NULL,
	"config_rejected" bigint,
	"config_rejected_reason" text,
	"revocations_applied" bigint NOT NULL,
	"gauges" jsonb NOT NULL,
	"degraded" jsonb NOT NULL,
	"listeners" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "fleet" (
	"only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"desired_version" bigint NOT NULL,
	CONSTRAINT "fleet_only" CHECK ("fleet"."only")
);
--> statement-breakpoint
CREATE TABLE "layers" (
	"kind" text NOT NULL,
	"name" text NOT NULL,
	"revision" integer NOT NULL,
	"document" jsonb NOT NULL,
	CONSTRAINT "layers_kind_name_pk" PRIMARY KEY("kind","name")
);
--> statement-breakpoint
CREATE TABLE "reports" (
	"edge" text NOT NULL,
	"boot" uuid NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"sequence" bigint NOT NULL,
	"region" text NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"received_at" timestamp with time zone DEFAULT now() NOT NULL,
	"counters" jsonb NOT NULL,
	"gauges" jsonb NOT NULL,
	"histograms" jsonb NOT NULL,
	CONSTRAINT "reports_edge_boot_at_sequence_pk" PRIMARY KEY("edge","boot","at","sequence")
) PARTITION BY RANGE ("at");
--> statement-breakpoint
-- What belongs to no day that was made ahead: an edge whose clock is wrong, or a report that was very late.
CREATE TABLE "reports_default" PARTITION OF "reports" DEFAULT;
--> statement-breakpoint
CREATE TABLE "revisions" (
	"revision" integer PRIMARY KEY NOT NULL,
	"layer_kind" text NOT NULL,
	"layer_name" text NOT NULL,
	"document" jsonb NOT NULL,
	"changes" jsonb NOT NULL,
	"note" text NOT NULL,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "tokens" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"hash" text NOT NULL,
	"role" text NOT NULL,
	"scopes" jsonb NOT NULL,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	"last_used_at" timestamp with time zone,
	CONSTRAINT "tokens_hash_unique" UNIQUE("hash")
);
--> statement-breakpoint
CREATE TABLE "traces" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user" text NOT NULL,
	"bytes_max" bigint NOT NULL,
	"bodies" boolean NOT NULL,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"ended_at" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "layers" ADD CONSTRAINT "layers_revision_revisions_revision_fk" FOREIGN KEY ("revision") REFERENCES "public"."revisions"("revision") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "audit_at" ON "audit" USING btree ("at");--> statement-breakpoint
CREATE INDEX "reports_at" ON "reports" USING brin ("at");--> statement-breakpoint
CREATE INDEX "revisions_layer" ON "revisions" USING btree ("layer_kind","layer_name","revision");--> statement-breakpoint
CREATE INDEX "traces_created" ON "traces" USING btree ("created_at");--> statement-breakpoint
-- Begins at the clock, so that a fresh database counts as newer than whatever edges remember of another one.
INSERT INTO "fleet" ("desired_version") VALUES (extract(epoch from now())::bigint);
