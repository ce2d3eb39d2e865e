/** The table of logins of the command line that have not ended: codes that a person or the command line still has to use. */
import { index, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { instantColumn } from '../../platform/db/columns.ts'
import { tokens } from '../access/table.ts'

export const cliLogins = pgTable(
  'cli_logins',
  {
    /** SHA-256 of the code, or of the device code, in hexadecimal. */
    hash: text('hash').primaryKey(),
    /** What a person enters. Empty: the code came by the loopback of the person's own machine. */
    userCode: text('user_code').unique(),
    /** SHA-256 of the verifier, in base64url. Empty: with a device code. */
    challenge: text('challenge'),
    /** The address that asked for the code. */
    source: text('source').notNull(),
    /** The token of the person who agreed. Empty: no person has agreed yet. */
    token: uuid('token').references(() => tokens.id, { onDelete: 'cascade' }),
    expiresAt: instantColumn('expires_at').notNull(),
  },
  (table) => [index('cli_logins_expires').on(table.expiresAt)],
)
