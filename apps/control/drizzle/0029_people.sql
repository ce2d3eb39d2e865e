CREATE TABLE "cli_logins" (
	"hash" text PRIMARY KEY NOT NULL,
	"user_code" text,
	"challenge" text,
	"source" text NOT NULL,
	"token" uuid,
	"expires_at" timestamp with time zone NOT NULL,
	CONSTRAINT "cli_logins_user_code_unique" UNIQUE("user_code")
);
--> statement-breakpoint
ALTER TABLE "tokens" ADD COLUMN "person" text;--> statement-breakpoint
ALTER TABLE "cli_logins" ADD CONSTRAINT "cli_logins_token_tokens_id_fk" FOREIGN KEY ("token") REFERENCES "public"."tokens"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "cli_logins_expires" ON "cli_logins" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "tokens_person" ON "tokens" USING btree ("person");