CREATE TABLE "series" (
	"id" serial PRIMARY KEY NOT NULL,
	"key" text NOT NULL,
	CONSTRAINT "series_key_unique" UNIQUE("key")
);
--> statement-breakpoint
-- Reports are stored in another form from here on; those of before are not taken over.
DROP TABLE "reports";
--> statement-breakpoint
CREATE TABLE "reports" (
	"edge" text NOT NULL,
	"boot" uuid NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"sequence" bigint NOT NULL,
	"region" text NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"received_at" timestamp with time zone DEFAULT now() NOT NULL,
	"counters" "bytea" NOT NULL,
	"gauges" "bytea" NOT NULL,
	"histograms" "bytea" NOT NULL,
	CONSTRAINT "reports_edge_boot_sequence_at_pk" PRIMARY KEY("edge","boot","sequence","at")
) PARTITION BY RANGE ("at");
--> statement-breakpoint
-- What belongs to no day that was made ahead: an edge whose clock is wrong, or a report that was very late.
CREATE TABLE "reports_default" PARTITION OF "reports" DEFAULT;
--> statement-breakpoint
CREATE INDEX "reports_at" ON "reports" USING brin ("at");
--> statement-breakpoint
ALTER TABLE "fleet" ADD COLUMN "reports_since" timestamp with time zone DEFAULT now() NOT NULL;
--> statement-breakpoint
CREATE TABLE "history_10s" (
	"edge" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"region" text NOT NULL,
	"counters" "bytea" NOT NULL,
	"gauges" "bytea" NOT NULL,
	"histograms" "bytea" NOT NULL,
	CONSTRAINT "history_10s_edge_at_region_pk" PRIMARY KEY("edge","at","region")
) PARTITION BY RANGE ("at");
--> statement-breakpoint
CREATE TABLE "history_10s_default" PARTITION OF "history_10s" DEFAULT;
--> statement-breakpoint
CREATE INDEX "history_10s_at" ON "history_10s" USING brin ("at");
--> statement-breakpoint
CREATE TABLE "history_1m" (
	"edge" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"region" text NOT NULL,
	"counters" "bytea" NOT NULL,
	"gauges" "bytea" NOT NULL,
	"histograms" "bytea" NOT NULL,
	CONSTRAINT "history_1m_edge_at_region_pk" PRIMARY KEY("edge","at","region")
) PARTITION BY RANGE ("at");
--> statement-breakpoint
CREATE TABLE "history_1m_default" PARTITION OF "history_1m" DEFAULT;
--> statement-breakpoint
CREATE INDEX "history_1m_at" ON "history_1m" USING brin ("at");
--> statement-breakpoint
CREATE TABLE "history_1h" (
	"edge" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"region" text NOT NULL,
	"counters" "bytea" NOT NULL,
	"gauges" "bytea" NOT NULL,
	"histograms" "bytea" NOT NULL,
	CONSTRAINT "history_1h_edge_at_region_pk" PRIMARY KEY("edge","at","region")
) PARTITION BY RANGE ("at");
--> statement-breakpoint
CREATE TABLE "history_1h_default" PARTITION OF "history_1h" DEFAULT;
--> statement-breakpoint
CREATE INDEX "history_1h_at" ON "history_1h" USING brin ("at");
--> statement-breakpoint
CREATE TABLE "history_due" (
	"resolution" text NOT NULL,
	"region" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"spreads" boolean NOT NULL
);
--> statement-breakpoint
CREATE INDEX "history_due_at" ON "history_due" USING btree ("resolution","at","region");
