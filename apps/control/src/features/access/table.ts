/** The tables of tokens, of sessions of the console, and of refused tokens. */
import type { AccessLimits } from '@imapfleet/api'
import { index, integer, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { instantColumn } from '../../platform/db/columns.ts'

export const tokens = pgTable(
  'tokens',
  {
    id: uuid('id').primaryKey(),
    name: text('name').notNull(),
    /** SHA-256 of the token, in hexadecimal. */
    hash: text('hash').notNull().unique(),
    role: text('role').$type<'viewer' | 'operator' | 'admin'>().notNull(),
    scopes: jsonb('scopes').$type<string[]>().notNull(),
    /** Empty: none. */
    limits: jsonb('limits').$type<AccessLimits>(),
    createdBy: text('created_by').notNull(),
    createdAt: instantColumn('created_at').notNull().defaultNow(),
    expiresAt: instantColumn('expires_at'),
    revokedAt: instantColumn('revoked_at'),
    lastUsedAt: instantColumn('last_used_at'),
    /** The addresses that used it last, each with its last time in ISO 8601. Empty: never used, or an earlier version wrote it. */
    usedFrom: jsonb('used_from').$type<Record<string, string>>(),
    /** The issuer and the subject of the person who signed in. Empty: a token of a machine. */
    person: text('person'),
  },
  (table) => [index('tokens_person').on(table.person)],
)

/** Sessions of the console. A session ends with its token. */
export const sessions = pgTable(
  'sessions',
  {
    /** SHA-256 of the content of the cookie, in hexadecimal. */
    hash: text('hash').primaryKey(),
    token: uuid('token')
      .notNull()
      .references(() => tokens.id, { onDelete: 'cascade' }),
    createdAt: instantColumn('created_at').notNull(),
    expiresAt: instantColumn('expires_at').notNull(),
  },
  (table) => [index('sessions_expires').on(table.expiresAt)],
)

/** Refused tokens by address. It limits guessing, over all replicas. */
export const loginFailures = pgTable('login_failures', {
  source: text('source').primaryKey(),
  failures: integer('failures').notNull(),
  since: instantColumn('since').notNull(),
})
