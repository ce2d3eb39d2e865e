CREATE TABLE "idempotency" (
	"token" uuid NOT NULL,
	"key" text NOT NULL,
	"request" text NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	"status" integer,
	"body" text,
	CONSTRAINT "idempotency_token_key_pk" PRIMARY KEY("token","key")
);
