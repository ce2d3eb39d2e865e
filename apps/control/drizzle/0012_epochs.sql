-- Versions are times in microseconds since 1970 from here on. The desired state of no edge changes.
UPDATE "fleet" SET "desired_version" = greatest("desired_version" + 1, (extract(epoch from clock_timestamp()) * 1000000)::bigint);
--> statement-breakpoint
CREATE TABLE "desired_versions" (
	"version" bigint PRIMARY KEY NOT NULL
);
--> statement-breakpoint
INSERT INTO "desired_versions" SELECT "desired_version" FROM "fleet";
--> statement-breakpoint
-- Older releases counted from the time in seconds. Nothing is known of these versions.
ALTER TABLE "fleet" ADD COLUMN "versions_since" bigint DEFAULT 10000000000 NOT NULL;--> statement-breakpoint
ALTER TABLE "fleet" ADD COLUMN "restored_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "fleet" ADD COLUMN "restored_evidence" text;--> statement-breakpoint
CREATE FUNCTION "record_desired_version"() RETURNS trigger LANGUAGE plpgsql AS $$
begin
  insert into desired_versions (version) values (new.desired_version) on conflict do nothing;
  return null;
end $$;
--> statement-breakpoint
CREATE TRIGGER "record_desired_version" AFTER UPDATE OF "desired_version" ON "fleet"
	FOR EACH ROW EXECUTE FUNCTION "record_desired_version"();
--> statement-breakpoint
CREATE FUNCTION "desired_version_now"() RETURNS bigint LANGUAGE sql STABLE AS 'select desired_version from fleet';
--> statement-breakpoint
ALTER TABLE "edges" ADD COLUMN "desired_claimed" bigint;--> statement-breakpoint
ALTER TABLE "edges" ADD COLUMN "desired_version" bigint;--> statement-breakpoint
ALTER TABLE "edges" ADD COLUMN "config_versions" jsonb;--> statement-breakpoint
ALTER TABLE "edges" ADD COLUMN "config_rejected_versions" jsonb;--> statement-breakpoint
ALTER TABLE "edges" ADD COLUMN "drain_version" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
-- Also for replicas of an older release, which do not name the column. Existing revisions get the present version.
ALTER TABLE "revisions" ADD COLUMN "version" bigint DEFAULT desired_version_now() NOT NULL;--> statement-breakpoint
CREATE INDEX "revisions_version" ON "revisions" USING btree ("version");
