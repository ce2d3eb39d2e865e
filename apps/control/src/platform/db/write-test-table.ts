/** The table that is written to learn whether Postgres accepts writes. It is unlogged, and always empty. */
import { pgTable, text } from 'drizzle-orm/pg-core'

export const writeTest = pgTable('write_test', { padding: text('padding').notNull() })
